package io.jcontainerd.testkit.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.testkit.contract.ContentStoreContract;
import java.util.Map;
import org.junit.jupiter.api.Test;

class InMemoryContentStoreTest extends ContentStoreContract {
  private final InMemoryContentStore store = new InMemoryContentStore();

  @Override
  protected ContentStore open() {
    return store;
  }

  @Test
  void namespaces_do_not_see_each_other() {
    Call.in("one").run(() -> store.add(HELLO, Map.of("a", "b")));
    assertThat(Call.in("one").call(() -> store.find(digest(HELLO)))).isPresent();
    assertThat(Call.in("two").call(() -> store.find(digest(HELLO)))).isEmpty();
  }
}
