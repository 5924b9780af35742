package io.jcontainerd.shim;

import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Rlimit;
import io.jcontainerd.oci.runtime.Spec;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Makes a specification fit for the runtime and the host at hand, changing as little as it can. */
final class SpecPreparation {
  private static final System.Logger LOG = System.getLogger(SpecPreparation.class.getName());

  private final HostLimits limits;

  SpecPreparation(HostLimits limits) {
    this.limits = limits;
  }

  /**
   * The container's document: claims no newer version than the runtime knows, and asks for no more
   * than the host can give.
   *
   * @param newest the newest version that the runtime announces
   */
  Spec container(Spec spec, SpecVersion newest, String id) {
    Spec fit = spec;
    if (!spec.ociVersion().isEmpty()) {
      SpecVersion claimed = SpecVersion.parse(spec.ociVersion());
      if (claimed.compareTo(newest) > 0) {
        LOG.log(
            Level.DEBUG,
            "container {0}: written as version {1}, the newest that the runtime knows, not {2}",
            id,
            newest,
            claimed);
        fit = fit.withOciVersion(newest.toString());
      }
    }
    JsonObject process = spec.json().object("process").orElse(JsonObject.EMPTY);
    JsonObject clamped = process(process, "container " + id);
    return clamped.equals(process) ? fit : new Spec(fit.json().with("process", clamped));
  }

  /** A {@code process} object: asks for no more than the host can give. */
  JsonObject process(JsonObject process, String subject) {
    JsonObject fit = process;
    OptionalLong bias = process.integer("oomScoreAdj");
    if (bias.isPresent()) {
      long possible = limits.clampOomScoreAdj(bias.getAsLong());
      if (possible != bias.getAsLong()) {
        LOG.log(
            Level.INFO,
            "{0}: oom score adjustment {1} becomes {2}, the least that this host may set",
            subject,
            bias.getAsLong(),
            possible);
        fit = fit.with("oomScoreAdj", possible);
      }
    }
    List<Rlimit> wanted = new Spec(JsonObject.EMPTY.with("process", process)).rlimits();
    List<Rlimit> possible = new ArrayList<>();
    for (Rlimit limit : wanted) {
      Rlimit clamped = limits.clamp(limit);
      if (!clamped.equals(limit)) {
        LOG.log(
            Level.INFO,
            "{0}: {1} {2} becomes {3}, the most that this host may set",
            subject,
            limit.type(),
            Long.toUnsignedString(limit.hard()),
            Long.toUnsignedString(clamped.hard()));
      }
      possible.add(clamped);
    }
    if (!possible.equals(wanted)) {
      Spec carrier = new Spec(JsonObject.EMPTY.with("process", fit)).withRlimits(possible);
      fit =
          fit.with(
              "rlimits", carrier.json().at("process", "rlimits").orElse(new JsonArray(List.of())));
    }
    return fit;
  }
}
