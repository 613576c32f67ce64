// Stands in for the git dependency that cannot be installed; the original requires it even where it does not use it.
