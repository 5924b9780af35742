package io.jcontainerd.ttrpc;

/**
 * One frame as it was read or will be written.
 *
 * @param streamId unsigned 32 bit number of the call
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Frame(int streamId, byte type, byte flags, byte[] data) {
  static final int HEADER = 10;
  static final int MAX_DATA = 4 << 20;

  static final byte REQUEST = 1;
  static final byte RESPONSE = 2;
  static final byte DATA = 3;

  static final byte REMOTE_CLOSED = 1;
  static final byte REMOTE_OPEN = 2;
  static final byte NO_DATA = 4;

  boolean has(byte flag) {
    return (flags & flag) != 0;
  }

  static TtrpcException tooLarge(long length) {
    return new TtrpcException(
        StatusCode.RESOURCE_EXHAUSTED,
        "message length " + length + " exceeds maximum message size of " + MAX_DATA);
  }
}
