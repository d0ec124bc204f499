#include "io/base/job_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "io/base/executor.h"
#include "io/support/step_executor.h"

namespace crv::io {
namespace {

using Names = std::vector<std::string>;

TEST(JobQueue, JobsAreDoneInOrderAndOnlyWhenTheExecutorSaysSo) {
  StepExecutor executor;
  JobQueue queue(executor);
  Names done;
  queue.add("a", [&] { done.emplace_back("a"); });
  queue.add("b", [&] { done.emplace_back("b"); });
  EXPECT_EQ(done, Names{});
  EXPECT_EQ(executor.waiting(), 1U);
  executor.step();
  EXPECT_EQ(done, (Names{"a", "b"}));
  queue.add("c", [&] { done.emplace_back("c"); });
  EXPECT_EQ(executor.waiting(), 1U);
  executor.step();
  EXPECT_EQ(done, (Names{"a", "b", "c"}));
}

TEST(JobQueue, OneThatWaitsDoesForAnotherOfItsName) {
  StepExecutor executor;
  JobQueue queue(executor);
  Names done;
  queue.add("a", [&] {
    done.emplace_back("first");
    queue.add("a", [&] { done.emplace_back("again"); });  // one that has begun does not
  });
  queue.add("a", [&] { done.emplace_back("second"); });
  executor.step();
  EXPECT_EQ(done, (Names{"first", "again"}));
}

TEST(JobQueue, WhereTheExecutorTakesNothingTheCallerDoesIt) {
  StepExecutor executor;
  executor.refuses = true;
  JobQueue queue(executor);
  Names done;
  queue.add("a", [&] {
    done.emplace_back("a begins");
    queue.add("b", [&] { done.emplace_back("b"); });
    done.emplace_back("a ends");
  });
  EXPECT_EQ(done, (Names{"a begins", "a ends", "b"}));
}

class FailingExecutor final : public Executor {
 public:
  std::size_t threads() const override { return 1; }
  bool post(std::function<void()>) override { throw std::bad_alloc(); }
};

TEST(JobQueue, AnExecutorThatThrowsTakesNothing) {
  FailingExecutor executor;
  JobQueue queue(executor);
  Names done;
  queue.add("a", [&] { done.emplace_back("a"); });
  queue.add("b", [&] { done.emplace_back("b"); });
  EXPECT_EQ(done, (Names{"a", "b"}));
}

TEST(JobQueue, DrainDoesWhatWaitsAndTheExecutorFindsNothingLeft) {
  StepExecutor executor;
  Names done;
  {
    JobQueue queue(executor);
    queue.add("a", [&] { done.emplace_back("a"); });
    queue.drain();
    EXPECT_EQ(done, Names{"a"});
    queue.add("b", [&] { done.emplace_back("b"); });
    queue.drain();
  }
  while (executor.waiting() > 0) executor.step();  // also after the queue has gone
  EXPECT_EQ(done, (Names{"a", "b"}));
}

TEST(JobQueue, AJobThatDrainsIsNotWaitedFor) {
  StepExecutor executor;
  JobQueue queue(executor);
  Names done;
  queue.add("a", [&] {
    queue.drain();
    done.emplace_back("a");
  });
  queue.add("b", [&] { done.emplace_back("b"); });
  executor.step();
  EXPECT_EQ(done, (Names{"a", "b"}));
}

TEST(JobQueue, DrainWaitsForTheJobThatAnotherThreadDoes) {
  ThreadExecutor executor;
  JobQueue queue(executor);
  std::promise<void> begun, may_end;
  std::atomic<bool> ended = false;
  queue.add("a", [&] {
    begun.set_value();
    may_end.get_future().wait();
    ended = true;
  });
  begun.get_future().wait();
  queue.add("b", [] {});
  std::atomic<bool> drained_late = false;
  std::thread drains([&] {
    queue.drain();
    drained_late = ended.load();
  });
  may_end.set_value();
  drains.join();
  EXPECT_TRUE(drained_late);
}

TEST(JobQueue, EachJobIsDoneOnceHoweverManyThreadsAddAndDrain) {
  ThreadExecutor executor;
  JobQueue queue(executor);
  constexpr int each = 500, adders = 4;
  std::vector<std::atomic<int>> times(static_cast<std::size_t>(each) * adders);
  std::atomic<int> at_once = 0;
  std::atomic<bool> overlapped = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < adders; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        const auto at = static_cast<std::size_t>(t * each + i);
        queue.add(std::to_string(at), [&, at] {
          if (++at_once > 1) overlapped = true;
          ++times[at];
          --at_once;
        });
        if (i % 50 == 0) queue.drain();
      }
    });
  for (std::thread& thread : threads) thread.join();
  queue.drain();
  EXPECT_FALSE(overlapped);
  for (std::size_t i = 0; i < times.size(); ++i) ASSERT_EQ(times[i], 1) << i;
}

}  // namespace
}  // namespace crv::io
