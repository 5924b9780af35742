package io.jcontainerd.registry;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Certificates and private keys in PEM files: keys in PKCS #8, or as OpenSSL wrote them before, of
 * RSA (PKCS #1) and elliptic curves (SEC 1).
 */
final class Pem {
  private static final int LONGEST = 8 << 20;
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);
  private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA");

  /** Version 0 of a PKCS #8 structure. */
  private static final byte[] VERSION = HexFormat.of().parseHex("020100");

  private static final byte[] RSA =
      HexFormat.of().parseHex("300d06092a864886f70d0101010500"); // rsaEncryption, null
  private static final byte[] EC_KEY = HexFormat.of().parseHex("06072a8648ce3d0201"); // its OID

  private static final int SEQUENCE = 0x30;
  private static final int OCTETS = 0x04;
  private static final int PARAMETERS = 0xa0;

  private Pem() {}

  /** All certificates of a file, in order; at least one. */
  static List<Certificate> certificates(Path file) throws IOException {
    List<Certificate> certificates = new ArrayList<>();
    Matcher block = BLOCK.matcher(text(file));
    while (block.find()) {
      if (block.group(1).endsWith("CERTIFICATE")) {
        try {
          certificates.add(
              CertificateFactory.getInstance("X.509")
                  .generateCertificate(new ByteArrayInputStream(bytes(file, block.group(2)))));
        } catch (CertificateException e) {
          throw new IOException(file + " holds a certificate that cannot be read", e);
        }
      }
    }
    if (certificates.isEmpty()) {
      throw new IOException(file + " holds no certificate");
    }
    return certificates;
  }

  /** The first private key of a file. */
  static PrivateKey key(Path file) throws IOException {
    Matcher block = BLOCK.matcher(text(file));
    while (block.find()) {
      String kind = block.group(1);
      if (!kind.endsWith("PRIVATE KEY")) {
        continue;
      }
      if (kind.startsWith("ENCRYPTED") || block.group(2).contains(":")) {
        throw new IOException(file + ": its key is locked by a passphrase");
      }
      byte[] bytes = bytes(file, block.group(2));
      return switch (kind) {
        case "RSA PRIVATE KEY" -> key(file, wrapped(RSA, bytes));
        case "EC PRIVATE KEY" -> key(file, wrapped(curve(file, bytes), bytes));
        default -> key(file, bytes);
      };
    }
    throw new IOException(file + " holds no private key");
  }

  private static String text(Path file) throws IOException {
    if (Files.size(file) > LONGEST) {
      throw new IOException(file + " is longer than " + LONGEST + " bytes");
    }
    return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(Path file, String base64) throws IOException {
    try {
      return Base64.getMimeDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new IOException(file + " is broken: " + e.getMessage(), e);
    }
  }

  private static PrivateKey key(Path file, byte[] pkcs8) throws IOException {
    IOException failure = new IOException(file + " holds a private key that cannot be read");
    for (String algorithm : ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
      } catch (GeneralSecurityException e) {
        failure.addSuppressed(e);
      }
    }
    throw failure;
  }

  /** A key of an older form inside a PKCS #8 structure. */
  private static byte[] wrapped(byte[] algorithm, byte[] key) {
    return element(SEQUENCE, VERSION, algorithm, element(OCTETS, key));
  }

  /** The algorithm of a SEC 1 key, which names its curve after the key's number. */
  private static byte[] curve(Path file, byte[] sec1) throws IOException {
    try {
      int at = content(sec1, 0); // into the sequence
      at = end(sec1, at); // past the version
      at = end(sec1, at); // past the number
      if ((sec1[at] & 0xff) == PARAMETERS) {
        int from = content(sec1, at);
        byte[] name = Arrays.copyOfRange(sec1, from, end(sec1, at));
        return element(SEQUENCE, EC_KEY, name);
      }
    } catch (IndexOutOfBoundsException e) {
      throw new IOException(file + " holds a private key that cannot be read", e);
    }
    throw new IOException(file + ": its key does not name its curve");
  }

  /** Where the content of the DER element begins. */
  private static int content(byte[] der, int at) {
    int first = der[at + 1] & 0xff;
    return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
  }

  /** Where the DER element ends. */
  private static int end(byte[] der, int at) {
    int first = der[at + 1] & 0xff;
    int length = first;
    if (first >= 0x80) {
      length = 0;
      for (int i = 0; i < (first & 0x7f); i++) {
        length = (length << 8) | (der[at + 2 + i] & 0xff);
      }
    }
    return Math.addExact(content(der, at), length);
  }

  private static byte[] element(int tag, byte[]... parts) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      content.writeBytes(part);
    }
    ByteArrayOutputStream element = new ByteArrayOutputStream();
    element.write(tag);
    int length = content.size();
    if (length >= 0x80) {
      int octets = (Integer.SIZE - Integer.numberOfLeadingZeros(length) + 7) / 8;
      element.write(0x80 | octets);
      for (int i = octets - 1; i >= 0; i--) {
        element.write(length >> (8 * i));
      }
    } else {
      element.write(length);
    }
    element.writeBytes(content.toByteArray());
    return element.toByteArray();
  }
}
