package io.jcontainerd.cli;

import io.jcontainerd.core.words.Durations;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.registry.docker.DockerConfig;
import io.jcontainerd.registry.docker.DockerCredentials;
import io.jcontainerd.registry.hosts.Attempt;
import io.jcontainerd.registry.hosts.Capability;
import io.jcontainerd.registry.hosts.ClientCertificate;
import io.jcontainerd.registry.hosts.HostsDirectory;
import io.jcontainerd.registry.hosts.Operation;
import io.jcontainerd.registry.hosts.Resolution;
import io.jcontainerd.registry.hosts.TlsSettings;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jctr images explain}. */
@Command(
    name = "explain",
    description = {
      "Tells which hosts would be asked for an image, in which order, and how.",
      "It needs neither network nor daemon: it reads hosts.toml files and thinks."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr images explain alpine:3",
      "  jctr images explain --hosts-dir ./certs.d registry.example:5000/app",
      "  jctr images explain --format json alpine | jq -r '.attempts[].address'",
      "",
      "Status: 0 all was understood, 1 a hosts.toml is refused or nobody would be asked, 2 misused."
    })
final class ExplainImage implements Callable<Integer> {
  @ParentCommand private Images images = new Images();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "REF", description = "The image, as it would be pulled.")
  private String reference = "";

  @Option(
      names = "--hosts-dir",
      paramLabel = "DIR[:DIR…]",
      description =
          "Folders with a folder for each registry, in which hosts.toml is; the first that knows"
              + " the registry is used. Default: ${DEFAULT-VALUE}",
      defaultValue = HostsDirectory.USUAL_ROOTS)
  private String hostsDirectory = HostsDirectory.USUAL_ROOTS;

  @Option(
      names = "--plain-http",
      description = "As if the registry itself were to be spoken to without TLS.")
  private boolean plainHttp;

  @Option(
      names = "--docker-config",
      paramLabel = "DIR",
      description =
          "The folder of Docker's config.json, for credentials; helpers are named and not run."
              + " Default: $$DOCKER_CONFIG or ~/.docker")
  private @Nullable Path dockerConfig;

  /** What is known after thinking. */
  private record Plan(
      Reference reference,
      HostsDirectory.Loaded loaded,
      Map<Attempt, Set<Operation>> attempts,
      DockerConfig credentials) {
    boolean serves(Operation operation) {
      return attempts.values().stream().anyMatch(operations -> operations.contains(operation));
    }
  }

  @Override
  public Integer call() {
    Plan plan = plan();
    PrintWriter out = spec.commandLine().getOut();
    switch (images.format()) {
      case json -> out.println(json(plan));
      case table -> print(out, spec.commandLine().getErr(), plan);
    }
    boolean fine =
        plan.loaded.errors().isEmpty()
            && plan.serves(Operation.RESOLVE)
            && plan.serves(Operation.PULL);
    return fine ? CommandLine.ExitCode.OK : Jctr.FOUND;
  }

  private Plan plan() {
    Reference name = Reference.parse(reference).withDefaultTag();
    HostsDirectory.Loaded loaded = HostsDirectory.parse(hostsDirectory).load(name.domain());
    Map<Attempt, Set<Operation>> attempts = new LinkedHashMap<>();
    for (Attempt attempt : Resolution.order(loaded.config(), name, plainHttp)) {
      attempts.put(attempt, new LinkedHashSet<>());
    }
    for (Operation operation : Operation.values()) {
      for (Attempt attempt : Resolution.attempts(loaded.config(), name, operation, plainHttp)) {
        attempts.computeIfAbsent(attempt, _ -> new LinkedHashSet<>()).add(operation);
      }
    }
    return new Plan(name, loaded, attempts, credentials());
  }

  private DockerConfig credentials() {
    Map<String, String> environment = new HashMap<>(System.getenv());
    if (dockerConfig != null) {
      environment.put("DOCKER_CONFIG", dockerConfig.toString());
    }
    return DockerCredentials.of(environment).config();
  }

  private static void print(PrintWriter out, PrintWriter err, Plan plan) {
    plan.loaded.errors().forEach(error -> err.println("refused: " + error));
    plan.loaded.warnings().forEach(warning -> err.println("warning: " + warning));
    err.flush();
    String source = plan.loaded.config().source();
    out.println(
        plan.reference
            + (source.isEmpty() ? ": nothing is configured" : ": configured by " + source));
    out.println();
    Table table =
        new Table(">#", "ASKED TO", "WHERE", "TLS", "CREDENTIALS", ">CONNECT WITHIN", "MORE");
    int number = 0;
    for (Map.Entry<Attempt, Set<Operation>> one : plan.attempts.entrySet()) {
      Attempt attempt = one.getKey();
      table.add(
          Integer.toString(++number),
          one.getValue().isEmpty() ? "nothing" : words(one.getValue()),
          attempt.toString(),
          tls(attempt),
          attempt.credentials() + ": " + plan.credentials.words(attempt.credentials()),
          Durations.format(attempt.dialTimeout()),
          more(attempt));
    }
    table.print(out);
    out.println();
    out.println(
        "When one fails, the next is asked; a push goes to one alone. When all fail, each is told"
            + " with its reason.");
    if (plan.attempts.keySet().stream()
        .anyMatch(attempt -> attempt.transport() == Attempt.Transport.HTTPS_OR_HTTP)) {
      out.println("https|http: with TLS, unless the other side turns out not to speak it.");
    }
    for (Operation operation : List.of(Operation.RESOLVE, Operation.PULL)) {
      if (!plan.serves(operation)) {
        out.println("Nobody may be asked to " + operation.word() + " it.");
      }
    }
  }

  private static String words(Set<Operation> operations) {
    return operations.stream().map(Operation::word).collect(Collectors.joining(", "));
  }

  private static String tls(Attempt attempt) {
    if (attempt.transport() == Attempt.Transport.HTTP) {
      return "none";
    }
    TlsSettings tls = attempt.tls();
    List<String> words = new ArrayList<>();
    words.add(tls.believesAll() ? "not verified" : "verified");
    if (!tls.authorities().isEmpty()) {
      words.add("ca " + joined(tls.authorities()));
    }
    if (!tls.clients().isEmpty()) {
      words.add("client " + joined(tls.clients()));
    }
    return String.join(", ", words);
  }

  private static String joined(List<?> all) {
    return all.stream().map(Object::toString).collect(Collectors.joining(" "));
  }

  /** The names of headers; their values may be secrets. */
  private static String more(Attempt attempt) {
    List<String> words = new ArrayList<>();
    attempt.namespace().ifPresent(name -> words.add("?ns=" + name));
    if (!attempt.headers().isEmpty()) {
      words.add("headers " + String.join(" ", attempt.headers().keySet()));
    }
    return words.isEmpty() ? "-" : String.join(", ", words);
  }

  private static JsonObject json(Plan plan) {
    return JsonObject.EMPTY
        .with("reference", plan.reference.toString())
        .with("source", plan.loaded.config().source())
        .with(
            "attempts",
            JsonArray.of(
                List.copyOf(plan.attempts.entrySet()),
                one -> json(one.getKey(), one.getValue(), plan.credentials)))
        .with("errors", JsonArray.ofStrings(plan.loaded.errors()))
        .with("warnings", JsonArray.ofStrings(plan.loaded.warnings()));
  }

  private static JsonObject json(
      Attempt attempt, Set<Operation> operations, DockerConfig credentials) {
    return JsonObject.EMPTY
        .with("address", attempt.toString())
        .with("transport", attempt.transport().word())
        .with("host", attempt.host())
        .with("port", attempt.port())
        .with("path", attempt.path())
        .with("operations", strings(operations.stream().map(Operation::word).toList()))
        .with(
            "capabilities", strings(attempt.capabilities().stream().map(Capability::word).toList()))
        .with("verified", !attempt.tls().believesAll())
        .with("authorities", strings(attempt.tls().authorities()))
        .with("clients", JsonArray.of(attempt.tls().clients(), ExplainImage::json))
        .with("headers", strings(attempt.headers().keySet()))
        .with("connectMillis", attempt.dialTimeout().toMillis())
        .with("namespace", attempt.namespace().orElse(""))
        .with("credentialsOf", attempt.credentials())
        .with("credentials", credentials.words(attempt.credentials()));
  }

  private static JsonObject json(ClientCertificate client) {
    return JsonObject.EMPTY
        .with("certificate", client.certificate().toString())
        .with("key", client.key().orElse(client.certificate()).toString());
  }

  private static JsonArray strings(Iterable<?> all) {
    List<String> texts = new ArrayList<>();
    all.forEach(one -> texts.add(one.toString()));
    return JsonArray.ofStrings(texts);
  }
}
