package io.jcontainerd.registry;

import io.jcontainerd.registry.hosts.ClientCertificate;
import io.jcontainerd.registry.hosts.TlsSettings;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** Makes what speaks TLS as settings want it. */
final class Tls {
  private static final char[] NO_PASSWORD = new char[0];

  private Tls() {}

  /**
   * Reads the files that the settings name.
   *
   * @throws IOException naming the file that cannot be used
   */
  static SSLContext context(TlsSettings settings) throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(
          settings.clients().isEmpty() ? null : keys(settings.clients()),
          settings.believesAll()
              ? new TrustManager[] {new Credulous()}
              : trust(settings.authorities()),
          null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException("tls cannot be set up: " + e.getMessage(), e);
    }
  }

  private static KeyManager[] keys(List<ClientCertificate> clients)
      throws IOException, GeneralSecurityException {
    KeyStore store = empty();
    for (int i = 0; i < clients.size(); i++) {
      ClientCertificate client = clients.get(i);
      PrivateKey key = Pem.key(client.key().orElse(client.certificate()));
      Certificate[] chain = Pem.certificates(client.certificate()).toArray(Certificate[]::new);
      store.setKeyEntry(Integer.toString(i), key, NO_PASSWORD, chain);
    }
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, NO_PASSWORD);
    return factory.getKeyManagers();
  }

  /** The usual authorities and these; null when there are only the usual ones. */
  private static TrustManager @Nullable [] trust(List<Path> authorities)
      throws IOException, GeneralSecurityException {
    if (authorities.isEmpty()) {
      return null;
    }
    KeyStore store = empty();
    int number = 0;
    for (TrustManager usual : managers(null)) {
      if (usual instanceof X509TrustManager known) {
        for (X509Certificate authority : known.getAcceptedIssuers()) {
          store.setCertificateEntry(Integer.toString(number++), authority);
        }
      }
    }
    for (Path file : authorities) {
      for (Certificate authority : Pem.certificates(file)) {
        store.setCertificateEntry(Integer.toString(number++), authority);
      }
    }
    return managers(store);
  }

  private static TrustManager[] managers(@Nullable KeyStore store) throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  private static KeyStore empty() throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    return store;
  }

  /**
   * Believes everybody, as {@code skip_verify} asks for. It is of the extended kind so that the
   * name of the other side is not compared either.
   */
  private static final class Credulous extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
