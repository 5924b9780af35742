package io.jcontainerd.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The arrows between rooms, as ARCHITECTURE.md draws them. */
class ArrowsTest {
  private static final JavaClasses ALL =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.jcontainerd");

  /** For each room, the rooms it may see. */
  private static final Map<String, Set<String>> MAY_SEE =
      Map.ofEntries(
          Map.entry("core", Set.of()),
          Map.entry("api", Set.of()),
          Map.entry("ttrpc", Set.of()),
          Map.entry("store", Set.of()),
          Map.entry("oci", Set.of("core")),
          Map.entry("linux", Set.of("core")),
          Map.entry("wire", Set.of("core", "api")),
          Map.entry("content", Set.of("core", "linux", "store")),
          Map.entry("snapshots", Set.of("core", "linux", "store")),
          Map.entry("mounts", Set.of("core", "linux")),
          Map.entry("diff", Set.of("core", "oci", "linux")),
          Map.entry("metadata", Set.of("core", "oci", "store", "wire", "api")),
          Map.entry("selfcheck", Set.of("core", "store")),
          Map.entry("cli", Set.of("core", "oci", "registry", "client")),
          Map.entry("registry", Set.of("core", "oci")),
          Map.entry("transfer", Set.of("core", "oci")),
          Map.entry("runtime", Set.of("core", "oci", "linux", "store", "wire", "api", "ttrpc")),
          Map.entry("services", Set.of("core", "oci", "wire", "api", "ttrpc")),
          Map.entry("client", Set.of("core", "oci", "wire", "api")),
          Map.entry("shim", Set.of("core", "oci", "wire", "api", "ttrpc", "linux")),
          Map.entry(
              "daemon",
              Set.of(
                  "core",
                  "oci",
                  "api",
                  "wire",
                  "ttrpc",
                  "store",
                  "linux",
                  "content",
                  "snapshots",
                  "mounts",
                  "diff",
                  "metadata",
                  "selfcheck",
                  "registry",
                  "transfer",
                  "runtime",
                  "services",
                  "client")),
          Map.entry("testkit", Set.of("core", "oci")));

  private static String room(JavaClass type) {
    String[] parts = type.getPackageName().split("\\.");
    return parts.length > 2 ? parts[2] : "";
  }

  @TestFactory
  Iterable<DynamicTest> each_room_sees_only_what_its_arrows_allow() {
    return MAY_SEE.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey(),
                    () ->
                        noClasses()
                            .that()
                            .resideInAPackage("io.jcontainerd." + entry.getKey() + "..")
                            .should()
                            .dependOnClassesThat(
                                describe(
                                    "are in a room that " + entry.getKey() + " may not see",
                                    target ->
                                        target.getPackageName().startsWith("io.jcontainerd.")
                                            && !room(target).equals(entry.getKey())
                                            && !entry.getValue().contains(room(target))))
                            .check(ALL)))
        .toList();
  }

  @Test
  void every_room_was_seen_with_its_classes() {
    Map<String, Integer> seen = new HashMap<>();
    for (JavaClass type : ALL) {
      seen.merge(room(type), 1, Integer::sum);
    }
    assertThat(seen.keySet()).isEqualTo(MAY_SEE.keySet());
    assertThat(seen.get("core")).isGreaterThan(40);
    assertThat(seen.get("api")).isGreaterThan(500);
    assertThat(seen).allSatisfy((room, classes) -> assertThat(classes).as(room).isGreaterThan(3));
  }

  @Test
  void engines_never_meet() {
    slices()
        .matching(
            "io.jcontainerd.(content|snapshots|mounts|diff|metadata|selfcheck|registry|transfer|runtime)..")
        .should()
        .notDependOnEachOther()
        .check(ALL);
  }

  @Test
  void foreign_memory_is_touched_only_in_linux() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.jcontainerd.linux..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("java.lang.foreign")
        .check(ALL);
  }

  @Test
  void json_is_read_and_written_only_in_oci() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.jcontainerd.oci..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("com.google.gson..", "com.fasterxml..", "io.avaje..")
        .check(ALL);
  }

  @Test
  void sql_is_spoken_only_by_the_store_and_what_keeps_records_in_it() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "io.jcontainerd.store..",
            "io.jcontainerd.metadata..",
            "io.jcontainerd.selfcheck..",
            "io.jcontainerd.snapshots..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("java.sql..")
        .check(ALL);
  }

  @Test
  void only_programs_print() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "io.jcontainerd.daemon..", "io.jcontainerd.shim..", "io.jcontainerd.cli..")
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .check(ALL);
  }

  @Test
  void a_program_that_reaps_children_never_uses_process_builder() {
    noClasses()
        .that()
        .resideInAnyPackage("io.jcontainerd.shim..", "io.jcontainerd.linux..")
        .should()
        .dependOnClassesThat()
        .areAssignableTo(ProcessBuilder.class)
        .check(ALL);
  }

  @Test
  void rooms_have_no_cycles_between_their_packages() {
    for (String room : MAY_SEE.keySet()) {
      if (!room.equals("api")) {
        slices()
            .matching("io.jcontainerd." + room + ".(**)")
            .should()
            .beFreeOfCycles()
            .allowEmptyShould(true)
            .check(ALL);
      }
    }
  }

  @Test
  void data_of_the_core_is_immutable() {
    classes()
        .that()
        .resideInAPackage("io.jcontainerd.core..")
        .and()
        .resideOutsideOfPackage("io.jcontainerd.core.filter..") // parsers have a position
        .and()
        .resideOutsideOfPackage("io.jcontainerd.core.operation..") // what is under way moves on
        .should()
        .haveOnlyFinalFields()
        .check(ALL);
  }
}
