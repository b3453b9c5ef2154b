"""From files to stations of b-value images, every series with a reason."""
