package io.jcontainerd.registry.conformance;

import io.jcontainerd.registry.TestAuthority;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLContext;

/** What servers of all cases show, made once: keytool takes its time. */
final class Authority {
  private static final class Once {
    private static final SSLContext SERVER = make();
  }

  private Authority() {}

  static SSLContext server() {
    return Once.SERVER;
  }

  private static SSLContext make() {
    try {
      Path folder = Files.createTempDirectory("authority");
      SSLContext server = TestAuthority.make(folder).server();
      Files.delete(folder.resolve("store.p12"));
      Files.delete(folder);
      return server;
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
