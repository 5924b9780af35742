package io.jcontainerd.registry.conformance;

/**
 * A line of the table.
 *
 * @param name what happens
 * @param spec where it is written what then must be: the distribution specification (DS), its token
 *     authentication (TA), an RFC with its section, the description of {@code hosts.toml} (HT), or
 *     a page of ours
 * @param expected what came over the lines, in order, and what came of it
 * @param play what the client is made to do
 */
record Case(String name, String spec, String expected, Play play) {
  /** Does it, and says what came of it. */
  @FunctionalInterface
  interface Play {
    String in(Scene scene) throws Exception;
  }

  /** What came over the lines and what came of it, when it is played now. */
  String got() throws Exception {
    try (Scene scene = new Scene()) {
      String outcome = play.in(scene);
      scene.checkSecrets();
      return scene.trace() + " => " + outcome;
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
