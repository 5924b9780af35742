package io.jcontainerd.shim;

import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.linux.process.ExitStatus;
import io.jcontainerd.linux.process.ProcessIdentity;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What a later host needs to take a container over.
 *
 * @param checkpoint the folder that it is brought back from; empty for none
 * @param created whether the runtime's create had come back; else only cleaning up is left to do
 * @param deletion the event that tells its deletion, if it was about to be told
 * @param init the first process
 * @param execs further processes
 */
record ContainerRecord(
    String namespace,
    String id,
    Path bundle,
    RuntimeOptions options,
    String checkpoint,
    boolean created,
    boolean rootMounted,
    boolean killAllOnExit,
    Optional<Event.Origin> deletion,
    ProcessRecord init,
    List<ProcessRecord> execs) {

  ContainerRecord {
    execs = List.copyOf(execs);
  }

  /**
   * A process.
   *
   * @param starting whether a start was under way
   * @param exitPublished whether the exit was given to the event journal
   */
  record ProcessRecord(
      String execId,
      Stdio stdio,
      JsonObject spec,
      Phase phase,
      boolean starting,
      Optional<ProcessIdentity> identity,
      Optional<ExitStatus> exit,
      boolean exitPublished,
      boolean stdinClosed) {

    private JsonObject json() {
      JsonObject json =
          JsonObject.EMPTY
              .with("execId", execId)
              .with("stdin", stdio.stdin())
              .with("stdout", stdio.stdout())
              .with("stderr", stdio.stderr())
              .with("terminal", stdio.terminal())
              .with("spec", spec)
              .with("phase", phase.name())
              .with("starting", starting)
              .with("exitPublished", exitPublished)
              .with("stdinClosed", stdinClosed);
      if (identity.isPresent()) {
        json =
            json.with("pid", identity.get().pid()).with("startTicks", identity.get().startTicks());
      }
      if (exit.isPresent()) {
        json =
            json.with("exitCode", exit.get().code()).with("exitedAt", exit.get().at().toString());
      }
      return json;
    }

    private static ProcessRecord of(JsonObject json) {
      Optional<ProcessIdentity> identity =
          json.number("pid")
              .map(
                  pid ->
                      new ProcessIdentity(
                          (int) pid.longValue(), json.integer("startTicks").orElse(0)));
      Optional<ExitStatus> exit =
          json.number("exitCode")
              .map(
                  code ->
                      new ExitStatus(
                          (int) code.longValue(), Instant.parse(text(json, "exitedAt"))));
      return new ProcessRecord(
          text(json, "execId"),
          new Stdio(
              text(json, "stdin"),
              text(json, "stdout"),
              text(json, "stderr"),
              json.flag("terminal")),
          json.object("spec").orElse(JsonObject.EMPTY),
          Phase.valueOf(text(json, "phase")),
          json.flag("starting"),
          identity,
          exit,
          json.flag("exitPublished"),
          json.flag("stdinClosed"));
    }
  }

  /** The same of one of which the deletion was not told. */
  ContainerRecord undeleted() {
    return new ContainerRecord(
        namespace,
        id,
        bundle,
        options,
        checkpoint,
        created,
        rootMounted,
        killAllOnExit,
        Optional.empty(),
        init,
        execs);
  }

  byte[] toBytes() {
    JsonObject json =
        JsonObject.EMPTY
            .with("namespace", namespace)
            .with("id", id)
            .with("bundle", bundle.toString())
            .with("binary", options.binary())
            .with("root", options.root().toString())
            .with("systemdCgroup", options.systemdCgroup())
            .with("noPivotRoot", options.noPivotRoot())
            .with("noNewKeyring", options.noNewKeyring())
            .with("ioUid", options.ioUid())
            .with("ioGid", options.ioGid())
            .with("criuWorkPath", options.criuWorkPath())
            .with("checkpoint", checkpoint)
            .with("created", created)
            .with("rootMounted", rootMounted)
            .with("killAllOnExit", killAllOnExit)
            .with("init", init.json())
            .with("execs", new JsonArray(execs.stream().<Json>map(ProcessRecord::json).toList()));
    return deletion.map(origin -> json.with("deletion", origin.toText())).orElse(json).toBytes();
  }

  /**
   * Reads what {@link #toBytes} wrote.
   *
   * @throws DataLossException when it is something else
   */
  static ContainerRecord parse(byte[] bytes) {
    try {
      JsonObject json = JsonObject.parse(bytes);
      return new ContainerRecord(
          text(json, "namespace"),
          text(json, "id"),
          Path.of(text(json, "bundle")),
          new RuntimeOptions(
              text(json, "binary"),
              Path.of(text(json, "root")),
              json.flag("systemdCgroup"),
              json.flag("noPivotRoot"),
              json.flag("noNewKeyring"),
              (int) json.integer("ioUid").orElse(0),
              (int) json.integer("ioGid").orElse(0),
              text(json, "criuWorkPath")),
          text(json, "checkpoint"),
          json.flag("created"),
          json.flag("rootMounted"),
          json.flag("killAllOnExit"),
          json.string("deletion").map(Event.Origin::parse),
          ProcessRecord.of(json.object("init").orElse(JsonObject.EMPTY)),
          json.objects("execs").stream().map(ProcessRecord::of).toList());
    } catch (RuntimeException e) {
      throw new DataLossException("container record: " + e.getMessage(), e);
    }
  }

  private static String text(JsonObject json, String name) {
    return json.string(name).orElse("");
  }
}
