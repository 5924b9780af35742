package io.jcontainerd.ttrpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The two envelopes, {@code ttrpc.Request} and {@code ttrpc.Response}, read and written field by
 * field. Unknown fields are skipped.
 */
final class Messages {
  private static final byte[] NOTHING = {};

  private Messages() {}

  /**
   * {@code ttrpc.Request}: service 1, method 2, payload 3, timeout_nano 4, metadata 5 (key 1, value
   * 2).
   *
   * @param timeoutNanos 0 for none
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Request(
      String service, String method, byte[] payload, long timeoutNanos, Metadata metadata) {

    /** The same with more metadata after its own. */
    Request with(Metadata more) {
      return more.entries().isEmpty()
          ? this
          : new Request(service, method, payload, timeoutNanos, metadata.and(more));
    }

    static Request parse(byte[] data) throws IOException {
      var in = CodedInputStream.newInstance(data);
      String service = "";
      String method = "";
      byte[] payload = NOTHING;
      long timeout = 0;
      List<Metadata.Entry> metadata = new ArrayList<>();
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case 1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED ->
              service = in.readStringRequireUtf8();
          case 2 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> method = in.readStringRequireUtf8();
          case 3 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> payload = in.readByteArray();
          case 4 << 3 | WireFormat.WIRETYPE_VARINT -> timeout = in.readInt64();
          case 5 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED ->
              metadata.add(entry(in.readByteArray()));
          default -> in.skipField(tag);
        }
      }
      return new Request(service, method, payload, timeout, new Metadata(metadata));
    }

    private static Metadata.Entry entry(byte[] data) throws IOException {
      var in = CodedInputStream.newInstance(data);
      String key = "";
      String value = "";
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case 1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> key = in.readStringRequireUtf8();
          case 2 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> value = in.readStringRequireUtf8();
          default -> in.skipField(tag);
        }
      }
      return new Metadata.Entry(key, value);
    }

    byte[] encode() {
      int size = sizeOf(1, service) + sizeOf(2, method) + sizeOf(3, payload);
      size += timeoutNanos == 0 ? 0 : CodedOutputStream.computeInt64Size(4, timeoutNanos);
      List<byte[]> entries = new ArrayList<>(metadata.entries().size());
      for (Metadata.Entry e : metadata.entries()) {
        byte[] encoded =
            write(
                sizeOf(1, e.key()) + sizeOf(2, e.value()),
                out -> {
                  put(out, 1, e.key());
                  put(out, 2, e.value());
                });
        entries.add(encoded);
        size += CodedOutputStream.computeByteArraySize(5, encoded);
      }
      return write(
          size,
          out -> {
            put(out, 1, service);
            put(out, 2, method);
            put(out, 3, payload);
            if (timeoutNanos != 0) {
              out.writeInt64(4, timeoutNanos);
            }
            for (byte[] e : entries) {
              out.writeByteArray(5, e);
            }
          });
    }
  }

  /**
   * {@code ttrpc.Response}: status 1 ({@code google.rpc.Status}: code 1, message 2), payload 2.
   *
   * @param failure null when the call succeeded
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Response(@Nullable TtrpcException failure, byte[] payload) {

    static Response parse(byte[] data) throws IOException {
      var in = CodedInputStream.newInstance(data);
      TtrpcException failure = null;
      byte[] payload = NOTHING;
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case 1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED ->
              failure = status(in.readByteArray());
          case 2 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> payload = in.readByteArray();
          default -> in.skipField(tag);
        }
      }
      return new Response(failure, payload);
    }

    private static @Nullable TtrpcException status(byte[] data) throws IOException {
      var in = CodedInputStream.newInstance(data);
      int code = 0;
      String message = "";
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case 1 << 3 | WireFormat.WIRETYPE_VARINT -> code = in.readInt32();
          case 2 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> message = in.readString();
          default -> in.skipField(tag);
        }
      }
      return code == 0 ? null : new TtrpcException(StatusCode.of(code), message);
    }

    byte[] encode() {
      byte[] status = failure == null ? NOTHING : status(failure);
      int size = sizeOf(1, status) + sizeOf(2, payload);
      return write(
          size,
          out -> {
            put(out, 1, status);
            put(out, 2, payload);
          });
    }

    private static byte[] status(TtrpcException failure) {
      int code = failure.code().number();
      String text = failure.text();
      return write(
          CodedOutputStream.computeInt32Size(1, code) + sizeOf(2, text),
          out -> {
            out.writeInt32(1, code);
            put(out, 2, text);
          });
    }
  }

  private interface Fields {
    void write(CodedOutputStream out) throws IOException;
  }

  private static byte[] write(int size, Fields fields) {
    byte[] data = new byte[size];
    var out = CodedOutputStream.newInstance(data);
    try {
      fields.write(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    out.checkNoSpaceLeft();
    return data;
  }

  private static int sizeOf(int field, String value) {
    return value.isEmpty() ? 0 : CodedOutputStream.computeStringSize(field, value);
  }

  private static int sizeOf(int field, byte[] value) {
    return value.length == 0 ? 0 : CodedOutputStream.computeByteArraySize(field, value);
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
