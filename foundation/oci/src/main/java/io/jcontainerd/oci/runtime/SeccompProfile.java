package io.jcontainerd.oci.runtime;

import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * containerd's default seccomp profile: what is listed is allowed, the rest fails with EPERM. Some
 * calls are allowed only along with a capability, on an architecture or on a new enough kernel.
 */
public final class SeccompProfile {
  private static final int ENOSYS = 38;

  /** One row of the table. */
  private record Rule(String condition, String action, String errno, String call, String args) {}

  private SeccompProfile() {}

  /** The profile for a process with these bounding capabilities on this machine. */
  public static JsonObject containerDefault(Set<String> bounding) {
    return containerDefault(
        bounding, architecture(System.getProperty("os.arch")), System.getProperty("os.version"));
  }

  static JsonObject containerDefault(Set<String> bounding, String arch, String kernel) {
    Set<String> always = new TreeSet<>();
    List<Json> calls = new ArrayList<>();
    for (Rule rule : rules()) {
      if (!holds(rule.condition, bounding, arch, kernel)) {
        continue;
      }
      if (rule.action.equals("ALLOW") && rule.args.isEmpty()) {
        always.add(rule.call);
      } else {
        calls.add(conditional(rule));
      }
    }
    calls.addFirst(
        JsonObject.EMPTY
            .with("names", JsonArray.ofStrings(always))
            .with("action", "SCMP_ACT_ALLOW"));
    return JsonObject.EMPTY
        .with("defaultAction", "SCMP_ACT_ERRNO")
        .with("architectures", JsonArray.ofStrings(architectures(arch)))
        .with("syscalls", new JsonArray(calls));
  }

  private static JsonObject conditional(Rule rule) {
    JsonObject call =
        JsonObject.EMPTY
            .with("names", JsonArray.ofStrings(List.of(rule.call)))
            .with("action", "SCMP_ACT_" + rule.action);
    if (rule.errno.startsWith("ENOSYS")) {
      call = call.with("errnoRet", ENOSYS);
    }
    return rule.args.isEmpty()
        ? call
        : call.with("args", new JsonArray(List.<Json>of(argument(rule.args))));
  }

  /** {@code arg0 == 0x8} or {@code arg0 masked-equal MASK VALUE}. */
  private static JsonObject argument(String text) {
    String[] words = text.split(" ", -1);
    JsonObject argument =
        JsonObject.EMPTY
            .with("index", Long.parseLong(words[0].substring("arg".length())))
            .with("value", Long.decode(words[2]));
    return switch (words[1]) {
      case "==" -> argument.with("op", "SCMP_CMP_EQ");
      case "<" -> argument.with("op", "SCMP_CMP_LT");
      case ">" -> argument.with("op", "SCMP_CMP_GT");
      case "masked-equal" ->
          argument.with("valueTwo", Long.decode(words[3])).with("op", "SCMP_CMP_MASKED_EQ");
      default -> throw new IllegalStateException("seccomp table: " + text);
    };
  }

  private static boolean holds(String condition, Set<String> bounding, String arch, String kernel) {
    boolean admin = bounding.contains("CAP_SYS_ADMIN");
    boolean s390 = arch.startsWith("s390");
    return switch (condition) {
      case "always" -> true;
      case "kernel>=4.8" -> atLeast(kernel, 4, 8);
      case "no-CAP_SYS_ADMIN" -> !admin;
      case "no-CAP_SYS_ADMIN on s390/s390x" -> !admin && s390;
      case "no-CAP_SYS_ADMIN on other arches" -> !admin && !s390;
      default ->
          condition.startsWith("CAP_")
              ? bounding.contains(condition)
              : Arrays.asList(condition.split(",", -1)).contains(arch);
    };
  }

  private static boolean atLeast(String kernel, int major, int minor) {
    String[] parts = kernel.split("[.-]", -1);
    try {
      int first = Integer.parseInt(parts[0]);
      return first > major || (first == major && Integer.parseInt(parts[1]) >= minor);
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException _) {
      return false;
    }
  }

  private static String architecture(String javaName) {
    return switch (javaName) {
      case "x86_64" -> "amd64";
      case "x86", "i386" -> "386";
      case "aarch64" -> "arm64";
      case "loongarch64" -> "loong64";
      default -> javaName;
    };
  }

  private static List<String> architectures(String arch) {
    return switch (arch) {
      case "amd64" -> List.of("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32");
      case "arm64" -> List.of("SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64");
      case "s390x" -> List.of("SCMP_ARCH_S390", "SCMP_ARCH_S390X");
      case "riscv64" -> List.of("SCMP_ARCH_RISCV64");
      case "loong64" -> List.of("SCMP_ARCH_LOONGARCH64");
      default -> List.of();
    };
  }

  private static List<Rule> rules() {
    String name = "seccomp-default.tsv";
    try (InputStream in = SeccompProfile.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is missing from the oci module");
      }
      return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split("\t", -1))
          .map(f -> new Rule(f[0], f[1], f[2], f[3], f[4]))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(name, e);
    }
  }
}
