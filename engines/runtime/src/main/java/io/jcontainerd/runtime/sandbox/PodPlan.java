package io.jcontainerd.runtime.sandbox;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.oci.runtime.LinuxNamespace;
import io.jcontainerd.oci.runtime.Spec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a pod is asked to be: read from an OCI specification, or what every pod has without one.
 *
 * @param namespaces those that its containers share; joined where there is a path, else made
 * @param sysctls to be set in the namespaces that are made, by name with slashes
 * @param process the specification of a process that holds the namespaces; empty for pods whose
 *     namespaces are held by files
 */
record PodPlan(
    List<LinuxNamespace> namespaces, Map<String, String> sysctls, Optional<Spec> process) {
  private static final List<String> USUAL =
      List.of(LinuxNamespace.NETWORK, LinuxNamespace.IPC, LinuxNamespace.UTS);

  /** Kinds that a file can hold and containers can share. */
  private static final Set<String> BY_FILE = Set.copyOf(USUAL);

  private static final Pattern SYSCTL = Pattern.compile("[a-zA-Z0-9_-]+(\\.[a-zA-Z0-9_-]+)+");

  PodPlan {
    namespaces = List.copyOf(namespaces);
    sysctls = Map.copyOf(sysctls);
  }

  static PodPlan of(SandboxController.Creation creation) {
    Optional<Spec> spec = creation.sandbox().spec().map(PodPlan::spec);
    if (!creation.netnsPath().isEmpty()) {
      var network = new LinuxNamespace(LinuxNamespace.NETWORK, Optional.of(creation.netnsPath()));
      spec = spec.map(s -> s.withNamespace(network));
      if (spec.isEmpty()) {
        return new PodPlan(
            List.of(
                network,
                LinuxNamespace.fresh(LinuxNamespace.IPC),
                LinuxNamespace.fresh(LinuxNamespace.UTS)),
            Map.of(),
            Optional.empty());
      }
    }
    if (spec.isEmpty()) {
      return new PodPlan(
          USUAL.stream().map(LinuxNamespace::fresh).toList(), Map.of(), Optional.empty());
    }
    return spec.get().json().object("process").isPresent()
        ? new PodPlan(shared(spec.get()), Map.of(), spec)
        : withoutProcess(spec.get());
  }

  private static Spec spec(TypedValue document) {
    if (!document.typeUrl().equals(Spec.TYPE_URL)) {
      throw new InvalidArgumentException(
          "spec of type " + document.typeUrl() + ", expected " + Spec.TYPE_URL);
    }
    return Spec.parse(document.value());
  }

  /** What containers can share with a process. */
  private static List<LinuxNamespace> shared(Spec spec) {
    return spec.namespaces().stream()
        .filter(n -> BY_FILE.contains(n.type()) || n.type().equals(LinuxNamespace.PID))
        .toList();
  }

  private static PodPlan withoutProcess(Spec spec) {
    List<LinuxNamespace> namespaces = new ArrayList<>();
    for (LinuxNamespace namespace : spec.namespaces()) {
      if (BY_FILE.contains(namespace.type())) {
        namespaces.add(namespace);
      } else if (namespace.type().equals(LinuxNamespace.PID)
          || namespace.type().equals(LinuxNamespace.USER)) {
        throw new InvalidArgumentException(
            "a pod without a process cannot hold a namespace of type " + namespace.type());
      }
    }
    var sysctls = new LinkedHashMap<String, String>();
    spec.hostname()
        .filter(name -> !name.isEmpty())
        .ifPresent(n -> set(spec, sysctls, "kernel.hostname", n));
    spec.json()
        .string("domainname")
        .filter(name -> !name.isEmpty())
        .ifPresent(n -> set(spec, sysctls, "kernel.domainname", n));
    spec.json()
        .object("linux")
        .map(linux -> linux.stringMap("sysctl"))
        .orElse(Map.of())
        .forEach((name, value) -> set(spec, sysctls, name, value));
    return new PodPlan(namespaces, sysctls, Optional.empty());
  }

  /** Only what belongs to a namespace of the pod's own; all else would be the host's. */
  private static void set(Spec spec, Map<String, String> sysctls, String name, String value) {
    if (!SYSCTL.matcher(name).matches() || !spec.hasNewNamespace(owner(name))) {
      throw new InvalidArgumentException(
          "sysctl " + name + " does not belong to a namespace that is made for the pod");
    }
    sysctls.put(name.replace('.', '/'), value);
  }

  private static String owner(String sysctl) {
    if (sysctl.startsWith("net.")) {
      return LinuxNamespace.NETWORK;
    }
    if (sysctl.startsWith("fs.mqueue.")
        || sysctl.startsWith("kernel.shm")
        || sysctl.startsWith("kernel.msg")
        || sysctl.equals("kernel.sem")) {
      return LinuxNamespace.IPC;
    }
    return sysctl.equals("kernel.hostname") || sysctl.equals("kernel.domainname")
        ? LinuxNamespace.UTS
        : "";
  }
}
