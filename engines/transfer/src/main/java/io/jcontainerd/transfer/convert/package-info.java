/** Images in other forms: other packing of layers, other media types, fewer platforms. */
package io.jcontainerd.transfer.convert;
