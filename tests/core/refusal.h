// What a call is refused with.
#pragma once

#include <gtest/gtest.h>
#include <string>

#include "crv/core/error.h"

namespace crv::testing {

// The message of the E that `call` throws, whose code must be `code`; "accepted" where it throws nothing.
template <class E, class Call>
std::string refusal(ErrorCode code, Call&& call, ErrorFacts* facts = nullptr) {
  try {
    call();
  } catch (const E& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    if (facts != nullptr) *facts = error.facts();
    return error.what();
  }
  return "accepted";
}

}  // namespace crv::testing
