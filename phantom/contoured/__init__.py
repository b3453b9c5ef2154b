"""A second body model, held out of training: implicit solids, contours and a jointed spine."""
