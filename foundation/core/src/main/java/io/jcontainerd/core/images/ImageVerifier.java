package io.jcontainerd.core.images;

import io.jcontainerd.core.Descriptor;

/** Says whether an image may come to this machine. Safe for many threads. */
public interface ImageVerifier {
  /**
   * What a verifier says.
   *
   * @param isAllowed whether the image may come
   * @param reason for people; may be empty
   */
  record Judgement(boolean isAllowed, String reason) {}

  /**
   * Judges an image before anything of it is fetched.
   *
   * @param name as the registry knows it
   * @param image what the name stands for now
   * @throws io.jcontainerd.core.failure.ContainerdException if there is no judgement; then the
   *     image must not come
   */
  Judgement verify(String name, Descriptor image) throws InterruptedException;
}
