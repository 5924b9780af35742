package io.jcontainerd.diff.stream;

class JdkGzipTest extends GzipContract {
  @Override
  Inflating inflating() {
    return Inflaters.jdk();
  }
}
