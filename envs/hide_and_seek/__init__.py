"""Hide-and-seek in two dimensions: teams, boxes, ramps and rooms (after Baker et al., 2019)."""
