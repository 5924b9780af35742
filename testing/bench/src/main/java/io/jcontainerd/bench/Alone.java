package io.jcontainerd.bench;

import com.github.luben.zstd.ZstdDecompressCtx;
import io.jcontainerd.bench.layers.Codec;
import io.jcontainerd.linux.Isal;
import io.jcontainerd.linux.IsalInflater;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.GZIPInputStream;

/** Work on a layer that has no other work beside it, on one thread. */
final class Alone {
  private static final int BUFFER = 1 << 20;
  private static final int GZIP_HEADER = 10;
  private static final int GZIP_FLAGS = 3;

  private Alone() {}

  /**
   * What it took.
   *
   * @param wall seconds
   * @param cpu seconds
   * @param kernel the part of these that the kernel took
   */
  record Time(double wall, double cpu, double kernel) {}

  private interface Work {
    void run() throws IOException;
  }

  private static Time timed(Work work) throws IOException {
    var threads = ManagementFactory.getThreadMXBean();
    long cpu = threads.getCurrentThreadCpuTime();
    long user = threads.getCurrentThreadUserTime();
    long wall = System.nanoTime();
    work.run();
    double seconds = (System.nanoTime() - wall) / 1e9;
    double used = (threads.getCurrentThreadCpuTime() - cpu) / 1e9;
    return new Time(seconds, used, used - (threads.getCurrentThreadUserTime() - user) / 1e9);
  }

  /** Unpacks files, one after the other, and leaves what comes out. */
  static Time inflate(List<Path> files, Codec codec) throws IOException {
    return timed(
        () -> {
          for (Path file : files) {
            if (codec == Codec.ZSTD) {
              unzstd(file);
            } else if (Isal.ofMachine().isUsable()) {
              isal(file);
            } else {
              gunzip(file);
            }
          }
        });
  }

  /** What unpacks layers on this machine: the daemon uses the same. */
  static String inflater(Codec codec) {
    if (codec == Codec.ZSTD) {
      return "zstd";
    }
    return Isal.ofMachine().isUsable() ? Isal.ofMachine().toString() : "the JDK";
  }

  /** The header of a member without a name, as we pack them, is short and always the same. */
  private static void isal(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file);
        IsalInflater inflater = Isal.ofMachine().inflater().orElseThrow()) {
      ByteBuffer from = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
      if (from.get(GZIP_FLAGS) != 0) {
        throw new IOException(file + " has more of a header than is expected");
      }
      from.position(GZIP_HEADER);
      ByteBuffer to = ByteBuffer.allocateDirect(BUFFER);
      while (!inflater.inflate(from, to.clear())) {
        if (!from.hasRemaining() && to.hasRemaining()) {
          throw new EOFException(file + " ends too early");
        }
      }
    } catch (DataFormatException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  private static void gunzip(Path file) throws IOException {
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file), BUFFER)) {
      var buffer = new byte[BUFFER];
      int count = 0;
      while (count >= 0) {
        count = in.read(buffer);
      }
    }
  }

  private static void unzstd(Path file) throws IOException {
    ByteBuffer from = ByteBuffer.allocateDirect(BUFFER);
    ByteBuffer to = ByteBuffer.allocateDirect(BUFFER);
    try (FileChannel channel = FileChannel.open(file);
        ZstdDecompressCtx context = new ZstdDecompressCtx()) {
      while (channel.read(from.clear()) >= 0) {
        from.flip();
        while (from.hasRemaining()) {
          context.decompressDirectByteBufferStream(to.clear(), from);
        }
      }
    }
  }

  /** Hashes a file. */
  static Time hash(Path file) throws IOException {
    return timed(
        () -> {
          MessageDigest hash = sha256();
          var buffer = new byte[BUFFER];
          try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
              hash.update(buffer, 0, n);
            }
          }
          hash.digest();
        });
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
