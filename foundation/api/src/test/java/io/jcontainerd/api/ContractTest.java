package io.jcontainerd.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.DescriptorProto.ReservedRange;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import io.jcontainerd.api.services.version.v1.VersionResponse;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Holds the compiled descriptors against the contract's tables, both ways. A row is: message,
 * field, number, type, label; or service, method, request, response, streaming; or enum, value,
 * number, {@code enum}.
 */
class ContractTest {
  /** Services that containerd does not have. */
  private static final String OURS = "jcontainerd.services.";

  private static final Set<String> STREAMING =
      Set.of("unary", "server-stream", "client-stream", "client-stream+server-stream");

  @Test
  void every_field_and_method_of_the_tables_is_compiled_and_nothing_else() throws Exception {
    Set<String> wanted = table();
    Set<String> compiled = new TreeSet<>();
    for (FileDescriptor file : compiledFiles()) {
      if (!file.getPackage().startsWith(OURS)) {
        describe(file, compiled);
      }
    }

    Set<String> missing = new TreeSet<>(wanted);
    missing.removeAll(compiled);
    Set<String> extra = new TreeSet<>(compiled);
    extra.removeAll(wanted);

    long methods = wanted.stream().filter(ContractTest::isMethod).count();
    System.out.printf(
        "%d fields, %d methods compared, %d differences%n",
        wanted.size() - methods, methods, missing.size() + extra.size());
    assertThat(missing).as("in the tables, not compiled").isEmpty();
    assertThat(extra).as("compiled, not in the tables").isEmpty();
    assertThat(methods).as("methods in the tables").isEqualTo(132);
    assertThat(wanted.size() - methods).as("fields in the tables").isGreaterThan(900);
  }

  @Test
  void every_message_has_a_java_package_of_its_own_protocol() throws Exception {
    for (FileDescriptor file : compiledFiles()) {
      if (file.getPackage().equals("google.rpc")) {
        continue;
      }
      assertThat(file.getOptions().getJavaMultipleFiles()).as(file.getName()).isTrue();
      assertThat(file.getOptions().getJavaPackage())
          .as(file.getName())
          .startsWith("io.jcontainerd.api.");
    }
  }

  @Test
  void a_description_tells_name_number_type_label_and_streaming() throws Exception {
    Set<String> compiled = new TreeSet<>();
    describe(VersionResponse.getDescriptor().getFile(), compiled);

    assertThat(compiled)
        .containsExactlyInAnyOrder(
            "containerd.services.version.v1.Version\tVersion\tgoogle.protobuf.Empty\t"
                + "containerd.services.version.v1.VersionResponse\tunary",
            "containerd.services.version.v1.VersionResponse\tversion\t1\tstring\t",
            "containerd.services.version.v1.VersionResponse\trevision\t2\tstring\t");
  }

  private static boolean isMethod(String row) {
    return STREAMING.contains(row.substring(row.lastIndexOf('\t') + 1));
  }

  private static Set<String> table() throws IOException {
    Set<String> rows = new TreeSet<>();
    try (InputStream in =
            Objects.requireNonNull(ContractTest.class.getResourceAsStream("/contract/fields.tsv"));
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line; (line = lines.readLine()) != null; ) {
        if (line.startsWith("#file")) {
          continue;
        }
        List<String> cells = new ArrayList<>(List.of(line.split("\t", -1)));
        while (cells.size() < 5) {
          cells.add("");
        }
        String row = String.join("\t", cells);
        assertThat(rows.add(row)).as("row twice: %s", row).isTrue();
      }
    }
    return rows;
  }

  /** All files of this module, found by their outer classes, and google.rpc.Status. */
  private static List<FileDescriptor> compiledFiles()
      throws IOException, URISyntaxException, ReflectiveOperationException {
    Path classes =
        Path.of(VersionResponse.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<FileDescriptor> files = new ArrayList<>();
    files.add(com.google.rpc.Status.getDescriptor().getFile());
    try (Stream<Path> tree = Files.walk(classes)) {
      for (Path file : tree.filter(p -> p.toString().endsWith("Proto.class")).sorted().toList()) {
        String name = classes.relativize(file).toString().replace('/', '.');
        Class<?> outer = Class.forName(name.substring(0, name.length() - ".class".length()));
        files.add((FileDescriptor) outer.getMethod("getDescriptor").invoke(null));
      }
    }
    return files;
  }

  private static void describe(FileDescriptor file, Set<String> rows) {
    file.getMessageTypes().forEach(message -> describe(message, rows));
    file.getEnumTypes().forEach(type -> describe(type, rows));
    for (ServiceDescriptor service : file.getServices()) {
      for (MethodDescriptor method : service.getMethods()) {
        rows.add(
            String.join(
                "\t",
                service.getFullName(),
                method.getName(),
                method.getInputType().getFullName(),
                method.getOutputType().getFullName(),
                streaming(method)));
      }
    }
    for (FieldDescriptor extension : file.getExtensions()) {
      rows.add(
          String.join(
              "\t",
              "#extension",
              extension.getName(),
              Integer.toString(extension.getNumber()),
              type(extension),
              "extends " + extension.getContainingType().getFullName()));
    }
  }

  private static void describe(Descriptor message, Set<String> rows) {
    if (message.getOptions().getMapEntry()) {
      return;
    }
    String name = message.getFullName();
    for (FieldDescriptor field : message.getFields()) {
      rows.add(
          String.join(
              "\t",
              name,
              field.getName(),
              Integer.toString(field.getNumber()),
              type(field),
              label(field)));
    }
    for (ReservedRange range : message.toProto().getReservedRangeList()) {
      rows.add(name + "\t#reserved\t" + range.getStart() + "-" + (range.getEnd() - 1) + "\t-\t");
    }
    if (message.getFields().isEmpty()) {
      rows.add(name + "\t#empty\t0\t-\t");
    }
    message.getNestedTypes().forEach(nested -> describe(nested, rows));
    message.getEnumTypes().forEach(nested -> describe(nested, rows));
  }

  private static void describe(EnumDescriptor type, Set<String> rows) {
    type.getValues()
        .forEach(
            value ->
                rows.add(
                    type.getFullName()
                        + "\t"
                        + value.getName()
                        + "\t"
                        + value.getNumber()
                        + "\tenum\t"));
  }

  private static String type(FieldDescriptor field) {
    if (field.isMapField()) {
      Descriptor entry = field.getMessageType();
      return "map<"
          + type(entry.findFieldByNumber(1))
          + ","
          + type(entry.findFieldByNumber(2))
          + ">";
    }
    return switch (field.getType()) {
      case MESSAGE -> field.getMessageType().getFullName();
      case ENUM -> field.getEnumType().getFullName();
      default -> field.getType().name().toLowerCase(java.util.Locale.ROOT);
    };
  }

  private static String label(FieldDescriptor field) {
    if (field.isMapField()) {
      return "map";
    }
    if (field.isRepeated()) {
      return "repeated";
    }
    if (field.getOptions().getDeprecated()) {
      return "deprecated";
    }
    return field.toProto().getProto3Optional() ? "optional" : "";
  }

  private static String streaming(MethodDescriptor method) {
    if (method.isClientStreaming()) {
      return method.isServerStreaming() ? "client-stream+server-stream" : "client-stream";
    }
    return method.isServerStreaming() ? "server-stream" : "unary";
  }
}
