package io.jcontainerd.shim.launch;

import java.util.List;

/**
 * The command line of a shim, in the manner of Go's flags: one dash or two, a value after a space
 * or an equals sign, and the action last.
 *
 * @param namespace of the container; may be empty
 * @param id of the container; may be empty
 * @param address the daemon's gRPC socket; may be empty
 * @param bundle the container's folder, where it is not the current one; may be empty
 * @param debug whether much is logged
 * @param info whether the runtime is to tell about itself
 * @param version whether the version is to be printed
 * @param action {@code start}, {@code delete} or empty
 */
record ShimArguments(
    String namespace,
    String id,
    String address,
    String bundle,
    boolean debug,
    boolean info,
    boolean version,
    String action) {

  /**
   * Reads it.
   *
   * @throws LaunchException with a sentence that says what is wrong
   */
  static ShimArguments parse(List<String> line) {
    String namespace = "";
    String id = "";
    String address = "";
    String bundle = "";
    boolean debug = false;
    boolean info = false;
    boolean version = false;
    int at = 0;
    while (at < line.size() && line.get(at).startsWith("-") && line.get(at).length() > 1) {
      String flag = line.get(at++);
      if (flag.equals("--")) {
        break;
      }
      flag = flag.substring(flag.startsWith("--") ? 2 : 1);
      int equals = flag.indexOf('=');
      String name = equals < 0 ? flag : flag.substring(0, equals);
      String value = equals < 0 ? "" : flag.substring(equals + 1);
      switch (name) {
        case "debug" -> debug = isTrue(name, equals, value);
        case "info" -> info = isTrue(name, equals, value);
        case "v", "version" -> version = isTrue(name, equals, value);
        case "namespace", "id", "address", "bundle", "publish-binary", "socket", "debug-socket" -> {
          if (equals < 0) {
            if (at == line.size()) {
              throw new LaunchException("flag needs an argument: -" + name);
            }
            value = line.get(at++);
          }
          switch (name) {
            case "namespace" -> namespace = value;
            case "id" -> id = value;
            case "address" -> address = value;
            case "bundle" -> bundle = value;
            default -> {} // the others are not needed here
          }
        }
        default -> throw new LaunchException("flag provided but not defined: -" + name);
      }
    }
    String action = at < line.size() ? line.get(at) : "";
    return new ShimArguments(namespace, id, address, bundle, debug, info, version, action);
  }

  private static boolean isTrue(String name, int equals, String value) {
    if (equals < 0) {
      return true;
    }
    return switch (value) {
      case "1", "t", "T", "true", "TRUE", "True" -> true;
      case "0", "f", "F", "false", "FALSE", "False" -> false;
      default -> throw new LaunchException("invalid boolean value \"" + value + "\" for -" + name);
    };
  }
}
