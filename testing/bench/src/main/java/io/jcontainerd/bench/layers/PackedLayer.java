package io.jcontainerd.bench.layers;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * A layer in a file.
 *
 * @param file where it is
 * @param digest of the file
 * @param size of the file
 * @param diffId the digest of what is packed in it
 */
public record PackedLayer(Path file, String digest, long size, String diffId) {
  private static final int BUFFER = 1 << 20;

  /** What writes an archive and leaves the stream open. */
  @FunctionalInterface
  public interface Archive {
    /** Writes it. */
    void to(OutputStream out) throws IOException;
  }

  /** Packs an archive into a file by the program of its codec. */
  public static PackedLayer make(Archive archive, Codec codec, Path file)
      throws IOException, InterruptedException {
    MessageDigest plain = sha256();
    if (codec == Codec.NONE) {
      try (OutputStream out = Files.newOutputStream(file)) {
        archive.to(new DigestOutputStream(out, plain));
      }
    } else {
      pipe(archive, plain, codec.command(), file);
    }
    MessageDigest packed = sha256();
    var buffer = new byte[BUFFER];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        packed.update(buffer, 0, n);
      }
    }
    return new PackedLayer(file, name(packed), Files.size(file), name(plain));
  }

  private static void pipe(Archive archive, MessageDigest plain, List<String> command, Path file)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(file.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (OutputStream out = process.getOutputStream()) {
      archive.to(new DigestOutputStream(out, plain));
    }
    int status = process.waitFor();
    if (status != 0) {
      throw new IOException(String.join(" ", command) + " ended with " + status);
    }
  }

  private static String name(MessageDigest hash) {
    return "sha256:" + HexFormat.of().formatHex(hash.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
