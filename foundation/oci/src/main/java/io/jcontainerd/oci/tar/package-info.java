/** The form that layers and archives of images have: tar, read and written, and nothing else. */
package io.jcontainerd.oci.tar;
