/** Who may refuse an image before it comes. */
package io.jcontainerd.transfer.verify;
