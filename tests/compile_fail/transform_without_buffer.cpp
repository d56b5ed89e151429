// SPDX-License-Identifier: Apache-2.0
// What a transform makes must have a place.
// expected: a transform needs a buffer to put its results in: fixed, dropping or sliding
#include "wherry/csp/transform.hpp"

const auto some = wherry::transformed<int>(wherry::promise{}, wherry::transforms::take_n(1));
