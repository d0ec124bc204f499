#include "io/base/once.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace crv::io {
namespace {

TEST(Once, WhatThrowsIsTriedAnewAndWhatIsDoneIsNot) {
  Once once;
  int tries = 0;
  auto job = [&] {
    if (++tries < 3) throw std::runtime_error("not yet");
  };
  EXPECT_THROW(once.run(job), std::runtime_error);
  EXPECT_THROW(once.run(job), std::runtime_error);
  EXPECT_NO_THROW(once.run(job));
  EXPECT_NO_THROW(once.run(job));
  EXPECT_EQ(tries, 3);
}

TEST(Once, OfManyThreadsOneDoesItAndAllSeeItDone) {
  Once once;
  int tries = 0;  // guarded by `once` alone
  std::atomic<int> refused = 0, saw_it_done = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      try {
        once.run([&] {
          if (++tries < 4) throw std::runtime_error("not yet");
        });
        if (tries == 4) ++saw_it_done;
      } catch (const std::runtime_error&) {
        ++refused;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(tries, 4);
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(saw_it_done, 5);
}

}  // namespace
}  // namespace crv::io
