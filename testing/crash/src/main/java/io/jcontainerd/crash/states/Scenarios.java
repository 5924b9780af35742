package io.jcontainerd.crash.states;

import io.jcontainerd.crash.disk.Told;
import io.jcontainerd.crash.states.Scenario.Goal;
import io.jcontainerd.crash.states.Scenario.Part;
import io.jcontainerd.crash.world.AppImage;
import io.jcontainerd.crash.world.Client;
import io.jcontainerd.crash.world.Client.Naming;
import io.jcontainerd.crash.world.Layer;
import io.jcontainerd.crash.world.World;
import io.jcontainerd.testkit.files.Survival;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** What is cut at every point. */
public final class Scenarios {
  private static final String OVERLAY = "overlayfs";
  private static final String NATIVE = "native";
  private static final Layer BASE = Layer.of("base", 1300, 400);
  private static final Layer MIDDLE = Layer.of("middle", 900);
  private static final Layer TOP = Layer.of("top", 300, 1100);
  private static final Layer OTHER = Layer.of("other", 600);

  /** An image of three layers. */
  public static final AppImage APP = new AppImage("app", List.of(BASE, MIDDLE, TOP));

  /** An image that shares two of them. */
  public static final AppImage SIBLING = new AppImage("sibling", List.of(BASE, MIDDLE, OTHER));

  /** An image of two layers. */
  public static final AppImage SMALL = new AppImage("small", List.of(MIDDLE, OTHER));

  /** All images. */
  public static final List<AppImage> IMAGES = List.of(APP, SIBLING, SMALL);

  private static final Part NOTHING = Scenario.NOTHING;

  private Scenarios() {}

  private static Client client(World world, String run, Consumer<Told> told) {
    return new Client(world, "ns", run, told);
  }

  private static Part pull(AppImage image, String snapshotter, Naming naming) {
    return (world, told) ->
        client(world, "first-" + image.name(), told).pull(image, snapshotter, naming);
  }

  private static Part fetched(AppImage image) {
    return (world, told) -> {
      Client client = client(world, "fetch-" + image.name(), told);
      client.leased(
          () -> {
            client.fetch(image);
            client.name(image);
          });
    };
  }

  private static Part unpack(AppImage image, String snapshotter) {
    return (world, told) -> {
      Client client = client(world, "unpack", told);
      client.leased(() -> client.unpack(image, snapshotter));
    };
  }

  private static Part both(Part... parts) {
    return (world, told) -> {
      for (Part part : parts) {
        part.in(world, told);
      }
    };
  }

  private static Part begun(int until) {
    return (world, told) ->
        client(world, "part", told).writePart(BASE.digest(), BASE.bytes(), until);
  }

  private static Goal goal(AppImage image, String snapshotter) {
    return new Goal("ns", image, snapshotter);
  }

  private static Scenario scenario(String name, Part before, Part action, Goal... goals) {
    return new Scenario(name, before, Optional.empty(), action, List.of(goals));
  }

  private static Scenario afterCut(
      String name, Part before, Survival cut, Part action, Goal... goals) {
    return new Scenario(name, before, Optional.of(cut), action, List.of(goals));
  }

  /** All of them. */
  public static List<Scenario> all() {
    Part collect = (world, told) -> client(world, "gc", told).collect();
    Part pullSmall = pull(SMALL, OVERLAY, Naming.BEFORE_UNPACKING);
    Part pullSmallNative = pull(SMALL, NATIVE, Naming.AFTER_UNPACKING);
    return List.of(
        scenario(
            "pull, named when fetched",
            NOTHING,
            pull(APP, OVERLAY, Naming.BEFORE_UNPACKING),
            goal(APP, OVERLAY)),
        scenario(
            "pull, named when unpacked",
            NOTHING,
            pull(SMALL, OVERLAY, Naming.AFTER_UNPACKING),
            goal(SMALL, OVERLAY)),
        scenario(
            "pull, and only the name says so",
            fetched(SMALL),
            (world, told) -> client(world, "quiet", told).pullQuietly(SMALL, OVERLAY),
            goal(SMALL, OVERLAY)),
        scenario(
            "pull beside an image that shares layers",
            pull(APP, OVERLAY, Naming.BEFORE_UNPACKING),
            pull(SIBLING, OVERLAY, Naming.BEFORE_UNPACKING),
            goal(APP, OVERLAY),
            goal(SIBLING, OVERLAY)),
        scenario(
            "pull into a second namespace",
            pull(SMALL, OVERLAY, Naming.BEFORE_UNPACKING),
            (world, told) ->
                new Client(world, "second", "second", told)
                    .pull(SMALL, OVERLAY, Naming.AFTER_UNPACKING),
            goal(SMALL, OVERLAY),
            new Goal("second", SMALL, OVERLAY)),
        scenario("unpack", fetched(APP), unpack(APP, OVERLAY), goal(APP, OVERLAY)),
        scenario(
            "unpack side by side",
            fetched(APP),
            (world, told) -> {
              Client client = client(world, "side", told);
              client.leased(() -> client.unpackSideBySide(APP, OVERLAY));
            },
            goal(APP, OVERLAY)),
        scenario("unpack into copies", fetched(SMALL), unpack(SMALL, NATIVE), goal(SMALL, NATIVE)),
        scenario(
            "run a container on a fresh image",
            fetched(SMALL),
            both(
                unpack(SMALL, OVERLAY),
                (world, told) -> client(world, "run", told).run("c1", SMALL, OVERLAY)),
            goal(SMALL, OVERLAY)),
        scenario(
            "run a container on layers that nobody vouched for",
            fetched(SMALL),
            (world, told) -> {
              Client client = client(world, "run", told);
              client.leased(
                  () -> {
                    client.unpackLayers(SMALL, OVERLAY);
                    client.run("c1", SMALL, OVERLAY);
                  });
            },
            goal(SMALL, OVERLAY)),
        scenario(
            "run and remove containers",
            both(pullSmall, pullSmallNative),
            (world, told) -> {
              Client client = client(world, "run", told);
              client.run("c1", SMALL, OVERLAY);
              client.run("c2", SMALL, NATIVE);
              client.removeContainer("c1", OVERLAY);
              client.removeContainer("c2", NATIVE);
              client.collect();
            },
            goal(SMALL, OVERLAY),
            goal(SMALL, NATIVE)),
        scenario(
            "remove an image that shares layers",
            both(
                pull(APP, OVERLAY, Naming.BEFORE_UNPACKING),
                pull(SIBLING, OVERLAY, Naming.BEFORE_UNPACKING)),
            (world, told) ->
                client(world, "rm", told).remove(SIBLING, List.of(APP), List.of(OVERLAY)),
            goal(APP, OVERLAY),
            goal(SIBLING, OVERLAY)),
        scenario(
            "remove the only image",
            both(pullSmall, pullSmallNative),
            (world, told) ->
                client(world, "rm", told).remove(SMALL, List.of(), List.of(OVERLAY, NATIVE)),
            goal(SMALL, OVERLAY)),
        scenario(
            "remove snapshots and blobs by hand",
            both(fetchedWithoutName(), unpack(SMALL, OVERLAY)),
            both((world, told) -> client(world, "rm", told).removeParts(SMALL, OVERLAY), collect),
            goal(SMALL, OVERLAY)),
        scenario(
            "collect what dead clients left",
            (world, told) -> {
              begun(700).in(world, told);
              fetched(SMALL).in(world, told);
              Client client = client(world, "dead", told);
              client.leased(() -> client.unpackSideBySide(SMALL, OVERLAY));
              client.removeName(SMALL, List.of(), List.of(OVERLAY));
            },
            collect,
            goal(SMALL, OVERLAY)),
        scenario(
            "commit an ingest",
            NOTHING,
            (world, told) -> begun(BASE.bytes().length).in(world, told),
            goal(SMALL, OVERLAY)),
        scenario(
            "leave and resume an ingest",
            NOTHING,
            both(begun(1000), begun(1500), begun(BASE.bytes().length)),
            goal(APP, OVERLAY)),
        scenario(
            "resume an ingest after a restart",
            begun(1000),
            begun(BASE.bytes().length),
            goal(APP, OVERLAY)),
        afterCut(
            "resume an ingest after a power cut that kept names only",
            begun(1000),
            Survival.NAMES_WITHOUT_BYTES,
            begun(BASE.bytes().length),
            goal(APP, OVERLAY)),
        scenario(
            "give an ingest up",
            begun(1000),
            (world, told) -> client(world, "abort", told).abort(BASE.digest()),
            goal(APP, OVERLAY)),
        afterCut(
            "recover from a power cut while unpacking, nothing kept",
            both(fetched(APP), dyingUnpack()),
            Survival.ONLY_FORCED,
            both(collect, pull(APP, OVERLAY, Naming.BEFORE_UNPACKING)),
            goal(APP, OVERLAY)),
        afterCut(
            "recover from a power cut while unpacking, names kept",
            both(fetched(APP), dyingUnpack()),
            Survival.NAMES_WITHOUT_BYTES,
            both(collect, pull(APP, OVERLAY, Naming.BEFORE_UNPACKING)),
            goal(APP, OVERLAY)));
  }

  private static Part fetchedWithoutName() {
    return (world, told) -> {
      Client client = client(world, "nameless", told);
      client.leased(() -> client.fetch(SMALL));
    };
  }

  /** Two layers are committed, the client dies before it can say that the image is unpacked. */
  private static Part dyingUnpack() {
    return (world, told) -> {
      AppImage part = new AppImage(APP.name(), APP.layers().subList(0, 2));
      Client client = client(world, "dying", told);
      client.leased(
          () -> {
            client.unpackLayers(part, OVERLAY);
            throw new Scenario.Abandoned();
          });
    };
  }
}
