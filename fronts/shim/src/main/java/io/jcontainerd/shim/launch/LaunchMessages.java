package io.jcontainerd.shim.launch;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The few messages of the shim protocol, read and written field by field: a program that lives for
 * some hundredths of a second does not load the generated classes. Unknown fields are skipped.
 */
final class LaunchMessages {
  private static final int TEXT = WireFormat.WIRETYPE_LENGTH_DELIMITED;
  private static final int NUMBER = WireFormat.WIRETYPE_VARINT;
  private static final String FEATURES =
      "types.containerd.io/opencontainers/runtime-spec/1/features/Features";

  private LaunchMessages() {}

  /** {@code google.protobuf.Any}: type_url 1, value 2. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Any(String url, byte[] value) {
    static Any parse(byte[] data) throws IOException {
      var in = CodedInputStream.newInstance(data);
      String url = "";
      byte[] value = {};
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case 1 << 3 | TEXT -> url = in.readStringRequireUtf8();
          case 2 << 3 | TEXT -> value = in.readByteArray();
          default -> in.skipField(tag);
        }
      }
      return new Any(url, value);
    }

    byte[] encode() {
      return write(
          out -> {
            put(out, 1, url);
            put(out, 2, value);
          });
    }

    /** The message's name, without what may stand before it. */
    String type() {
      return url.substring(url.lastIndexOf('/') + 1);
    }
  }

  /**
   * {@code containerd.runtime.bootstrap.v1.BootstrapParams}: instance_id 1, namespace 2, log_level
   * 3, containerd_ttrpc_address 5, containerd_grpc_address 6, extensions 8 (value 1), socket_dir 9.
   */
  record Parameters(
      String id,
      String namespace,
      int logLevel,
      String ttrpcAddress,
      String grpcAddress,
      List<Any> extensions,
      String socketFolder) {

    /** Reads them; empty if this is something else. */
    static Optional<Parameters> parse(byte[] data) {
      var in = CodedInputStream.newInstance(data);
      String id = "";
      String namespace = "";
      int level = 0;
      String ttrpc = "";
      String grpc = "";
      List<Any> extensions = new ArrayList<>();
      String folder = "";
      try {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
          switch (tag) {
            case 1 << 3 | TEXT -> id = in.readStringRequireUtf8();
            case 2 << 3 | TEXT -> namespace = in.readStringRequireUtf8();
            case 3 << 3 | NUMBER -> level = in.readEnum();
            case 5 << 3 | TEXT -> ttrpc = in.readStringRequireUtf8();
            case 6 << 3 | TEXT -> grpc = in.readStringRequireUtf8();
            case 8 << 3 | TEXT -> extension(in.readByteArray()).ifPresent(extensions::add);
            case 9 << 3 | TEXT -> folder = in.readStringRequireUtf8();
            default -> in.skipField(tag);
          }
        }
      } catch (IOException e) {
        return Optional.empty();
      }
      return Optional.of(
          new Parameters(id, namespace, level, ttrpc, grpc, List.copyOf(extensions), folder));
    }

    private static Optional<Any> extension(byte[] data) throws IOException {
      byte[] value = field(data, 1);
      return value == null ? Optional.empty() : Optional.of(Any.parse(value));
    }
  }

  /** The text of one field of a message; empty if it is not there. */
  static String text(byte[] data, int number) throws IOException {
    byte[] found = field(data, number);
    return found == null ? "" : new String(found, StandardCharsets.UTF_8);
  }

  private static byte @Nullable [] field(byte[] data, int number) throws IOException {
    var in = CodedInputStream.newInstance(data);
    byte[] found = null;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (tag == (number << 3 | TEXT)) {
        found = in.readByteArray();
      } else {
        in.skipField(tag);
      }
    }
    return found;
  }

  /** {@code BootstrapResult}: version 1, address 2, protocol 3. */
  static byte[] result(int version, String address, String protocol) {
    return write(
        out -> {
          out.writeInt32(1, version);
          put(out, 2, address);
          put(out, 3, protocol);
        });
  }

  /** {@code containerd.task.v3.DeleteResponse}: pid 1, exit_status 2, exited_at 3. */
  static byte[] deleted(int pid, int status, Instant at) {
    byte[] time =
        write(
            out -> {
              out.writeInt64(1, at.getEpochSecond());
              out.writeInt32(2, at.getNano());
            });
    return write(
        out -> {
          if (pid != 0) {
            out.writeUInt32(1, pid);
          }
          if (status != 0) {
            out.writeUInt32(2, status);
          }
          put(out, 3, time);
        });
  }

  /**
   * {@code containerd.types.RuntimeInfo}: name 1, version 2 (version 1, revision 2), options 3,
   * features 4.
   */
  static byte[] info(
      String name, String version, Optional<Any> options, Optional<byte[]> features) {
    return write(
        out -> {
          put(out, 1, name);
          put(out, 2, write(inner -> put(inner, 1, version)));
          if (options.isPresent()) {
            out.writeByteArray(3, options.get().encode());
          }
          if (features.isPresent()) {
            out.writeByteArray(4, new Any(FEATURES, features.get()).encode());
          }
        });
  }

  /** Two texts, in the fields 1 and 2. */
  static byte[] two(String first, String second) {
    return write(
        out -> {
          put(out, 1, first);
          put(out, 2, second);
        });
  }

  /** A request of the task service that names a container: id 1. */
  static byte[] container(String id) {
    return write(out -> put(out, 1, id));
  }

  /** {@code KillRequest}: id 1, signal 3, all 4. */
  static byte[] kill(String id, int signal) {
    return write(
        out -> {
          put(out, 1, id);
          out.writeUInt32(3, signal);
          out.writeBool(4, true);
        });
  }

  private interface Fields {
    void write(CodedOutputStream out) throws IOException;
  }

  private static byte[] write(Fields fields) {
    var bytes = new ByteArrayOutputStream();
    var out = CodedOutputStream.newInstance(bytes);
    try {
      fields.write(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void put(CodedOutputStream out, int field, String value) throws IOException {
    if (!value.isEmpty()) {
      out.writeString(field, value);
    }
  }

  private static void put(CodedOutputStream out, int field, byte[] value) throws IOException {
    if (value.length != 0) {
      out.writeByteArray(field, value);
    }
  }
}
