package io.jcontainerd.oci.image;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageDocumentTest {
  private static final String A = "sha256:" + "a".repeat(64);
  private static final String B = "sha256:" + "b".repeat(64);

  private static ImageDocument parse(String text, String mediaType) {
    return ImageDocument.parse(text.replace('\'', '"').getBytes(UTF_8), mediaType);
  }

  @Test
  void an_oci_manifest_is_read() {
    ImageDocument document =
        parse(
            """
            {'schemaVersion':2,'mediaType':'application/vnd.oci.image.manifest.v1+json',
             'config':{'mediaType':'application/vnd.oci.image.config.v1+json','digest':'%s','size':7},
             'layers':[{'mediaType':'application/vnd.oci.image.layer.v1.tar+gzip','digest':'%s',
               'size':32654,'annotations':{'k':'v'}}],
             'annotations':{'org.opencontainers.image.ref.name':'x'},'unknown':[1]}"""
                .formatted(A, B),
            MediaTypes.MANIFEST);
    assertThat(document)
        .isEqualTo(
            new Manifest(
                MediaTypes.MANIFEST,
                new Descriptor(MediaTypes.CONFIG, Digest.parse(A), 7),
                List.of(
                    new Descriptor(
                        MediaTypes.LAYER_GZIP, Digest.parse(B), 32654, Map.of("k", "v"))),
                Map.of("org.opencontainers.image.ref.name", "x")));
    assertThat(ImageDocument.parse(document.toBytes(), "")).isEqualTo(document);
  }

  @Test
  void a_docker_list_is_read_with_its_platforms() {
    ImageDocument document =
        parse(
            """
            {'schemaVersion':2,'mediaType':'application/vnd.docker.distribution.manifest.list.v2+json',
             'manifests':[{'mediaType':'application/vnd.docker.distribution.manifest.v2+json',
               'digest':'%s','size':5,'platform':{'architecture':'arm','os':'linux','variant':'v7'}},
              {'mediaType':'application/vnd.docker.distribution.manifest.v2+json','digest':'%s','size':6}]}"""
                .formatted(A, B),
            "");
    Index index = (Index) document;
    assertThat(index.manifests().getFirst().platform())
        .contains(new Platform("linux", "arm", "v7"));
    assertThat(index.manifests().getLast().platform()).isEmpty();
    assertThat(ImageDocument.parse(index.toBytes(), MediaTypes.DOCKER_LIST)).isEqualTo(index);
  }

  @Test
  void a_document_without_a_type_is_what_it_was_announced_as_or_looks_like() {
    String manifest = "{'config':{'digest':'%s','size':1},'layers':[]}".formatted(A);
    assertThat(parse(manifest, "").mediaType()).isEqualTo(MediaTypes.MANIFEST);
    assertThat(parse(manifest, MediaTypes.DOCKER_MANIFEST).mediaType())
        .isEqualTo(MediaTypes.DOCKER_MANIFEST);
    assertThat(parse("{'manifests':[]}", "").mediaType()).isEqualTo(MediaTypes.INDEX);
  }

  @Test
  void schema_1_is_refused_by_name() {
    for (String type : List.of("prettyjws", "json")) {
      String full = "application/vnd.docker.distribution.manifest.v1+" + type;
      assertThatThrownBy(() -> parse("{}", full))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageContaining("docker schema 1 manifest " + full + " is not supported");
    }
    assertThatThrownBy(() -> parse("{'schemaVersion':1,'fsLayers':[]}", ""))
        .hasMessageContaining("schema 1");
  }

  @Test
  void a_document_that_can_be_read_two_ways_is_refused() {
    assertThatThrownBy(() -> parse("{'manifests':[],'layers':[]}", MediaTypes.MANIFEST))
        .hasMessageContaining("both a manifest and an index");
    assertThatThrownBy(
            () -> parse("{'mediaType':'%s','manifests':[]}".formatted(MediaTypes.MANIFEST), ""))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(
            () ->
                parse(
                    "{'mediaType':'%s','manifests':[]}".formatted(MediaTypes.INDEX),
                    MediaTypes.MANIFEST))
        .hasMessageContaining("claims to be");
  }

  @Test
  void nonsense_is_refused() {
    assertThatThrownBy(() -> parse("[]", "")).isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> parse("{}", "")).hasMessageContaining("neither");
    assertThatThrownBy(() -> parse("{}", "text/html")).hasMessageContaining("text/html");
    assertThatThrownBy(() -> parse("{'layers':[]}", "")).hasMessageContaining("config");
    assertThatThrownBy(
            () -> parse("{'config':{'digest':'%s','size':-1},'layers':[]}".formatted(A), ""))
        .hasMessageContaining("negative");
    assertThatThrownBy(() -> parse("{'config':{'digest':'x','size':1},'layers':[]}", ""))
        .isInstanceOf(InvalidArgumentException.class);
  }

  /** Every place where a type, a range or a form is promised. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'config':D,'layers':{}}",
        "{'config':D,'layers':'x'}",
        "{'config':D,'layers':[1]}",
        "{'config':D,'layers':[null]}",
        "{'config':D,'layers':[[]]}",
        "{'config':[],'layers':[]}",
        "{'config':null,'layers':[]}",
        "{'config':D,'layers':[],'annotations':[]}",
        "{'config':D,'layers':[],'annotations':{'a':1}}",
        "{'config':D,'layers':[],'mediaType':7}",
        "{'config':D,'layers':[],'schemaVersion':'2'}",
        "{'config':D,'layers':[],'schemaVersion':1e999}",
        "{'config':{'digest':'#','size':9223372036854775808},'layers':[]}",
        "{'config':{'digest':'#','size':1.5},'layers':[]}",
        "{'config':{'digest':'#','size':'1'},'layers':[]}",
        "{'config':{'digest':'#','size':-9223372036854775808},'layers':[]}",
        "{'config':{'digest':'#'},'layers':[]}",
        "{'config':{'size':1},'layers':[]}",
        "{'config':{'digest':7,'size':1},'layers':[]}",
        "{'config':{'digest':'md5:d41d8cd98f00b204e9800998ecf8427e','size':1},'layers':[]}",
        "{'config':{'digest':'sha256:../../../../etc/passwd','size':1},'layers':[]}",
        "{'config':{'digest':'sha256:','size':1},'layers':[]}",
        "{'manifests':D}",
        "{'manifests':[D,7]}",
        "{'manifests':[{'digest':'#','size':1,'platform':'linux'}]}",
        "{'manifests':[{'digest':'#','size':1,'platform':{'os':1}}]}",
        "{'manifests':[{'digest':'#','size':1,'platform':{'os.features':'x'}}]}",
      })
  void a_document_of_wrong_types_or_ranges_is_refused_with_a_sentence(String text) {
    String document = text.replace("D", "{'digest':'#','size':1}").replace("#", A);
    assertThatThrownBy(() -> parse(document, ""))
        .isInstanceOf(InvalidArgumentException.class)
        .message()
        .isNotBlank();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'rootfs':[]}",
        "{'rootfs':{'type':'layers','diff_ids':'x'}}",
        "{'rootfs':{'type':'layers','diff_ids':[1]}}",
        "{'rootfs':{'type':'layers','diff_ids':['sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709']}}",
        "{'rootfs':{'type':1,'diff_ids':[]}}",
        "{'rootfs':{'type':'blocks','diff_ids':[]}}",
      })
  void a_config_with_a_wrong_root_is_refused_with_a_sentence(String text) {
    ImageConfig config = ImageConfig.parse(text.replace('\'', '"').getBytes(UTF_8));
    assertThatThrownBy(config::diffIds)
        .isInstanceOf(InvalidArgumentException.class)
        .message()
        .isNotBlank();
  }

  @Test
  void a_config_with_values_of_wrong_types_is_refused_where_it_is_asked() {
    String text =
        "{'os':1,'config':{'Env':'x','Cmd':[1],'User':[],'Labels':{'a':1},'WorkingDir':2}}";
    ImageConfig config = ImageConfig.parse(text.replace('\'', '"').getBytes(UTF_8));
    for (ThrowingCallable question :
        List.<ThrowingCallable>of(
            config::platform,
            config::env,
            config::command,
            config::user,
            config::labels,
            config::workingDir)) {
      assertThatThrownBy(question).isInstanceOf(InvalidArgumentException.class);
    }
  }

  @Test
  void annotations_are_written_in_order_of_their_keys() {
    Map<String, String> notes = new HashMap<>();
    List<String> keys = new ArrayList<>();
    for (int i = 100; i < 200; i++) {
      keys.add("\"key" + i + "\"");
      notes.put("key" + i, "");
    }
    var noted = new Descriptor(MediaTypes.MANIFEST, Digest.parse(A), 1, notes);
    ImageDocument index = new Index(List.of(new Index.Entry(noted, Optional.empty())));
    ImageDocument whole = new Index(MediaTypes.INDEX, List.of(), notes);
    ImageDocument manifest =
        new Manifest(
            MediaTypes.MANIFEST,
            new Descriptor(MediaTypes.CONFIG, Digest.parse(B), 1),
            List.of(),
            notes);
    for (ImageDocument document : List.of(index, whole, manifest)) {
      String text = new String(document.toBytes(), UTF_8);
      assertThat(text).containsSubsequence(keys);
    }
  }

  @Test
  void a_config_tells_how_to_run_and_keeps_the_rest() {
    String text =
        ("{'architecture':'amd64','os':'linux','x':1e3,'config':{'Env':['A=b'],'Entrypoint':null,"
                + "'Cmd':['sh'],'User':'1:2','WorkingDir':'/w','Labels':{'l':'m'},'StopSignal':'SIGINT'},"
                + "'rootfs':{'type':'layers','diff_ids':['%s','%s']}}")
            .formatted(A, B)
            .replace('\'', '"');
    ImageConfig config = ImageConfig.parse(text.getBytes(UTF_8));
    assertThat(config.platform()).isEqualTo(new Platform("linux", "amd64", ""));
    assertThat(config.env()).containsExactly("A=b");
    assertThat(config.entrypoint()).isEmpty();
    assertThat(config.command()).containsExactly("sh");
    assertThat(config.user()).isEqualTo("1:2");
    assertThat(config.labels()).containsEntry("l", "m");
    assertThat(config.diffIds()).containsExactly(Digest.parse(A), Digest.parse(B));
    assertThat(config.toBytes()).asString(UTF_8).isEqualTo(text);
  }

  @Test
  void chain_ids_follow_the_image_specification() {
    List<Digest> chain = ChainIds.of(List.of(Digest.parse(A), Digest.parse(B), Digest.parse(A)));
    Digest two = Digest.sha256((A + " " + B).getBytes(UTF_8));
    assertThat(chain)
        .containsExactly(Digest.parse(A), two, Digest.sha256((two + " " + A).getBytes(UTF_8)));
    assertThat(ChainIds.of(List.of())).isEmpty();
  }
}
