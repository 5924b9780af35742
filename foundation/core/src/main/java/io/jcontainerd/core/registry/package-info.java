/** What the rest of the house knows of image registries. */
package io.jcontainerd.core.registry;
