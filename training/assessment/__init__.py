"""Many scored cases: tables, intervals, tests, folds, the threshold and the plots."""
