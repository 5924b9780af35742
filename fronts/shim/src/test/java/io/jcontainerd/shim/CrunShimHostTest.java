package io.jcontainerd.shim;

class CrunShimHostTest extends ShimHostContract {
  @Override
  String binary() {
    return "crun";
  }
}
