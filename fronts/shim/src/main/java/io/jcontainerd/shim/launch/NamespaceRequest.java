package io.jcontainerd.shim.launch;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;

/**
 * Asks a host for a socket whose clients all mean one namespace; the answer is its address. The one
 * message between this launcher and the host that is not containerd's.
 *
 * @param namespace what calls there mean if they do not say it
 * @param socket where it is to be, unless the namespace has one
 */
public record NamespaceRequest(String namespace, String socket) {
  /** The service's name. */
  public static final String SERVICE = "io.jcontainerd.shim.v1.Host";

  /** The method's name. */
  public static final String METHOD = "ServeNamespace";

  /** What addresses begin with. */
  public static final String SCHEME = "unix://";

  /** Reads one: namespace 1, socket 2. */
  public static NamespaceRequest parse(byte[] data) throws IOException {
    var in = CodedInputStream.newInstance(data);
    String namespace = "";
    String socket = "";
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (tag) {
        case 1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED ->
            namespace = in.readStringRequireUtf8();
        case 2 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> socket = in.readStringRequireUtf8();
        default -> in.skipField(tag);
      }
    }
    return new NamespaceRequest(namespace, socket);
  }

  byte[] encode() {
    return LaunchMessages.two(namespace, socket);
  }
}
