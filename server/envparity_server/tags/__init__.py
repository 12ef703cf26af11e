"""Where tags of images point now: asked of registries once per tag, and held against what containers run."""
