package io.jcontainerd.endure;

/** Makes all images of a model that workers may pull, so that every layer is known later. */
final class Models {
  private Models() {}

  static void prepare(Model model, int pullers, boolean withApp) {
    for (int number = 0; number < pullers * Puller.NUMBERS; number++) {
      model.image(number);
    }
    if (withApp) {
      model.image(Model.APP);
    }
  }
}
