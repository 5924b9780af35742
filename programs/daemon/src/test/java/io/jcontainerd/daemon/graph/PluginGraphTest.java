package io.jcontainerd.daemon.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.introspection.Introspection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PluginGraphTest {
  private static final PluginKey<Part> A = new PluginKey<>("t.a", "one", Part.class);
  private static final PluginKey<Part> B = new PluginKey<>("t.b", "one", Part.class);
  private static final PluginKey<Part> B2 = new PluginKey<>("t.b", "two", Part.class);

  private final List<String> closed = new ArrayList<>();

  private record Part(String name, List<String> closed) implements AutoCloseable {
    @Override
    public void close() {
      closed.add(name);
    }
  }

  private PluginSpec<Part> spec(PluginKey<Part> key, String... requires) {
    return new PluginSpec<>(key, List.of(requires), _ -> Started.of(new Part(key.uri(), closed)));
  }

  private static PluginSpec<Part> failing(PluginKey<Part> key, Exception failure) {
    return new PluginSpec<>(
        key,
        List.of(),
        _ -> {
          throw failure;
        });
  }

  @Test
  void plugins_start_after_what_they_need_and_close_before_it() {
    var graph = new PluginGraph();
    graph.add(spec(A, "t.b"));
    graph.add(spec(B));
    graph.add(spec(B2));
    graph.start(List.of(), List.of());
    assertThat(graph.plugins())
        .extracting(plugin -> plugin.type() + "." + plugin.id())
        .containsExactly("t.b.one", "t.b.two", "t.a.one");
    assertThat(graph.wiring().all("t.b", Part.class)).containsOnlyKeys("one", "two");
    graph.close();
    graph.close();
    assertThat(closed).containsExactly("t.a.one", "t.b.two", "t.b.one");
  }

  @Test
  void a_failed_or_skipped_plugin_is_listed_with_its_reason_and_the_rest_goes_on() {
    var graph = new PluginGraph();
    graph.add(failing(A, new SkipPlugin("no device")));
    graph.add(failing(B, new IllegalStateException("broken")));
    graph.add(new PluginSpec<>(B2, List.of("t.a"), wiring -> Started.of(wiring.get(A))));
    graph.start(List.of(), List.of());
    assertThat(graph.plugins())
        .extracting(Introspection.Plugin::failure)
        .extracting(failure -> failure.map(Introspection.Failure::message))
        .containsExactly(
            Optional.of("skip plugin: no device"),
            Optional.of("java.lang.IllegalStateException: broken"),
            Optional.of("plugin t.a.one is not there: skip plugin: no device"));
    assertThat(graph.wiring().all("t.b", Part.class)).isEqualTo(Map.of());
  }

  @Test
  void who_must_miss_none_starts_without_disabled_ones_but_not_without_failed_ones() {
    for (List<String> disabled : List.of(List.<String>of(), List.of("t.b.one"))) {
      var graph = new PluginGraph();
      graph.add(failing(B, new IllegalStateException("broken")));
      graph.add(spec(B2));
      graph.add(
          new PluginSpec<>(
              A,
              List.of("t.b"),
              wiring ->
                  Started.of(
                      new Part(wiring.everyOne("t.b", Part.class).keySet().toString(), closed))));
      graph.start(disabled, List.of());
      assertThat(graph.wiring().find(A).map(Part::name))
          .isEqualTo(disabled.isEmpty() ? Optional.empty() : Optional.of("[two]"));
      assertThat(graph.plugins())
          .filteredOn(plugin -> plugin.type().equals("t.a"))
          .extracting(plugin -> plugin.failure().map(Introspection.Failure::message))
          .containsExactly(
              disabled.isEmpty()
                  ? Optional.of(
                      "plugin t.b.one is not there: java.lang.IllegalStateException: broken")
                  : Optional.empty());
    }
  }

  @Test
  void a_disabled_plugin_is_not_listed() {
    var graph = new PluginGraph();
    graph.add(spec(A));
    graph.add(spec(B));
    graph.start(List.of("t.a.one", "t.x.unknown"), List.of());
    assertThat(graph.plugins()).extracting(Introspection.Plugin::type).containsExactly("t.b");
  }

  @Test
  void a_required_plugin_that_fails_ends_the_start_and_closes_what_had_started() {
    var graph = new PluginGraph();
    graph.add(spec(B));
    graph.add(failing(A, new SkipPlugin("no device")));
    assertThatThrownBy(() -> graph.start(List.of(), List.of("t.a.one")))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessage("load required plugin t.a.one: skip plugin: no device");
    assertThat(closed).containsExactly("t.b.one");
  }

  @Test
  void a_required_plugin_that_does_not_exist_ends_the_start() {
    var graph = new PluginGraph();
    assertThatThrownBy(() -> graph.start(List.of(), List.of("t.x.one")))
        .hasMessage("load required plugin t.x.one: it does not exist or is disabled");
  }
}
