package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.endure.Gate.Session;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Pulls images of its own numbers as containerd's clients do, names them twice, labels them, builds
 * on them and removes them.
 */
final class Puller extends Worker {
  /** How many images each has at most. */
  static final int MOST = 4;

  /** How many numbers each has. */
  static final int NUMBERS = 12;

  private static final List<String> SNAPSHOTTERS = List.of("overlayfs", "native");
  private static final int STEPS = 4;

  private final Model model;
  private final String namespace;
  private final int first;
  private final SplittableRandom random;
  private final Pulling pulling;
  private final BuildSteps steps;

  Puller(int index, long salt, Tools tools) {
    super("puller-" + index, tools.gate(), tools.ledger(), tools.problems());
    this.model = tools.model();
    this.namespace = namespace(index);
    this.first = index * NUMBERS;
    this.random = new SplittableRandom(model.seed() + 1_000_003 * salt + index);
    this.pulling = new Pulling(ledger, model, namespace, random);
    this.steps = new BuildSteps(tools, namespace, name());
  }

  /** The first two share one, so that they meet at the same layers. */
  static String namespace(int index) {
    return index < 2 ? "one" : "two";
  }

  @Override
  String next() {
    List<Integer> have = new ArrayList<>();
    List<String> names = new ArrayList<>();
    ledger
        .under(Keys.image(namespace, ""))
        .forEach(
            (key, known) -> {
              int number = number(Keys.part(key, 2));
              if (!known.value().isEmpty() && number >= first && number < first + NUMBERS) {
                have.add(number);
                names.add(Keys.part(key, 2));
              }
            });
    String snapshotter = SNAPSHOTTERS.get(random.nextInt(SNAPSHOTTERS.size()));
    int dice = random.nextInt(100);
    if (have.isEmpty() || (have.size() < MOST && dice < 45)) {
      return "pull " + (first + random.nextInt(NUMBERS)) + " " + snapshotter + " " + unique();
    }
    int chosen = random.nextInt(names.size());
    if (dice < 55) {
      return "label " + names.get(chosen);
    }
    if (dice < 62) {
      return "alias " + have.get(chosen);
    }
    if (dice < 75) {
      return "build " + have.get(chosen) + " " + random.nextInt(STEPS) + " " + unique();
    }
    if (dice < 82) {
      return "unbuild";
    }
    return "delete " + names.get(chosen) + (random.nextBoolean() ? " now" : " later");
  }

  private String unique() {
    return Long.toHexString(random.nextLong());
  }

  @Override
  void carryOut(Session session, String[] words) throws IOException, InterruptedException {
    Containerd client = session.client().in(namespace);
    switch (words[0]) {
      case "pull" -> pulling.pull(client, Integer.parseInt(words[1]), words[2], words[3]);
      case "label" -> label(client, words[1]);
      case "alias" -> pulling.name(client, "alias-" + words[1], Integer.parseInt(words[1]));
      case "build" -> build(client, Integer.parseInt(words[1]), words[2], words[3]);
      case "unbuild" -> unbuild(client);
      case "delete" -> delete(client, words[1], words[2].equals("now"));
      default -> throw new IllegalArgumentException(words[0]);
    }
  }

  private void label(Containerd client, String name) {
    String key = Keys.image(namespace, name);
    String[] now = ledger.known(key).value().split(" ", -1);
    int number = Integer.parseInt(now[0]);
    String next = Integer.toString(Integer.parseInt(now[1]) + 1);
    Image image =
        new Image(
            name,
            model.image(number).manifest().descriptor(),
            Map.of("generation", next),
            Instant.EPOCH,
            Instant.EPOCH);
    ledger.promise(
        key,
        number + " " + next,
        () ->
            client
                .images()
                .update(image, new FieldMask(List.of("labels.generation")), Optional.empty()));
  }

  private void build(Containerd client, int number, String step, String id)
      throws IOException, InterruptedException {
    for (String snapshotter : SNAPSHOTTERS) {
      String unpacked = Keys.unpacked(namespace, number, snapshotter);
      if (ledger.known(unpacked).surely("yes")) {
        steps.build(client, model.image(number), snapshotter, Integer.parseInt(step), id);
        return;
      }
    }
  }

  private void unbuild(Containerd client) {
    steps.removeOne(client);
  }

  private void delete(Containerd client, String name, boolean sync) {
    String key = Keys.image(namespace, name);
    int number = number(name);
    if (ledger.known(key).value().isEmpty()) {
      return; // an earlier attempt did it
    }
    String other = name.startsWith("alias-") ? "img-" + number : "alias-" + number;
    List<String> unpacked = new ArrayList<>();
    if (ledger.known(Keys.image(namespace, other)).value().isEmpty()) {
      unpacked.addAll(ledger.under(Keys.unpacked(namespace, number, "")).keySet());
    }
    unpacked.forEach(each -> ledger.begin(each, ""));
    ledger.promise(
        key,
        "",
        () -> {
          try {
            client.images().delete(name, Optional.empty(), sync);
          } catch (NotFoundException e) {
            throw new IllegalStateException("an image that was promised is not there", e);
          }
        });
    unpacked.forEach(ledger::done);
  }

  private static int number(String name) {
    return Integer.parseInt(name.substring(name.indexOf('-') + 1));
  }
}
