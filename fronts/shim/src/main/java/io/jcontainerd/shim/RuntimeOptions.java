package io.jcontainerd.shim;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.jcontainerd.api.types.runc.options.Options;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.JsonObject;
import java.nio.file.Path;

/**
 * How the OCI runtime is called for a container.
 *
 * @param binary name on the path, or path
 * @param root where the runtime keeps its state, namespace included
 * @param systemdCgroup whether systemd makes the cgroups
 * @param noPivotRoot whether the root is changed without pivot_root
 * @param noNewKeyring whether the container shares the session keyring
 * @param ioUid owner of the pipes
 * @param ioGid group of the pipes
 * @param criuWorkPath folder for CRIU's own files; empty for the bundle
 */
record RuntimeOptions(
    String binary,
    Path root,
    boolean systemdCgroup,
    boolean noPivotRoot,
    boolean noNewKeyring,
    int ioUid,
    int ioGid,
    String criuWorkPath) {

  private static final String TYPE = "containerd.runc.v1.Options";
  private static final String DEFAULT_BINARY = "runc";
  private static final Path DEFAULT_ROOT = Path.of("/run/containerd/runc");

  /**
   * The options as upstream's shim keeps them in the bundle's {@code options.json}, where the
   * daemon finds how to remove what a lost shim left.
   */
  byte[] toBundleFile() {
    Path withoutNamespace = root.getParent();
    return JsonObject.EMPTY
        .with("binary_name", binary)
        .with("root", withoutNamespace == null ? "" : withoutNamespace.toString())
        .with("systemd_cgroup", systemdCgroup)
        .with("no_pivot_root", noPivotRoot)
        .with("no_new_keyring", noNewKeyring)
        .with("io_uid", ioUid)
        .with("io_gid", ioGid)
        .with("criu_work_path", criuWorkPath)
        .toBytes();
  }

  /**
   * From the options of a create request.
   *
   * @throws InvalidArgumentException for options of another runtime
   */
  static RuntimeOptions of(Any any, String namespace) {
    Options options = Options.getDefaultInstance();
    String url = any.getTypeUrl();
    if (!url.isEmpty()) {
      String type = url.substring(url.lastIndexOf('/') + 1);
      if (!type.equals(TYPE)) {
        throw new InvalidArgumentException(
            "runtime options of type " + type + ", expected " + TYPE);
      }
      try {
        options = Options.parseFrom(any.getValue());
      } catch (InvalidProtocolBufferException e) {
        throw new InvalidArgumentException("runtime options: " + e.getMessage(), e);
      }
    }
    return new RuntimeOptions(
        options.getBinaryName().isEmpty() ? DEFAULT_BINARY : options.getBinaryName(),
        (options.getRoot().isEmpty() ? DEFAULT_ROOT : Path.of(options.getRoot()))
            .resolve(namespace),
        options.getSystemdCgroup(),
        options.getNoPivotRoot(),
        options.getNoNewKeyring(),
        options.getIoUid(),
        options.getIoGid(),
        options.getCriuWorkPath());
  }
}
