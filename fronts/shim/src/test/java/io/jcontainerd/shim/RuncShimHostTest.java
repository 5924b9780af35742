package io.jcontainerd.shim;

class RuncShimHostTest extends ShimHostContract {
  @Override
  String binary() {
    return "runc";
  }
}
