// A lock goes with the process that has it, and with what that had started.

#include "plumbline/engine/lock.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "plumbline/engine/pass.hpp"

namespace plumbline::engine {
namespace {

class LockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "lock-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  std::filesystem::path directory;
};

/// Runs `body` in a child, which ends by _exit().
template <class Body>
pid_t fork_and(Body body) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  body();
  _exit(0);
}

TEST_F(LockTest, NamesTheProcessThatHasIt) {
  int holder = 0;
  const auto lock = Lock::take(directory, holder);
  ASSERT_TRUE(lock);
  EXPECT_FALSE(Lock::take(directory, holder));
  EXPECT_EQ(holder, getpid());
}

TEST_F(LockTest, IsTakenOnceTheChildOfAKilledProcessHasGoneToo) {
  const pid_t killed = fork_and([&] {
    int holder = 0;
    const auto lock = Lock::take(directory, holder);
    // The child shares the lock, as one does between fork() and execve().
    fork_and([] { std::this_thread::sleep_for(std::chrono::milliseconds(300)); });
    kill(getpid(), SIGKILL);
  });
  ASSERT_EQ(waitpid(killed, nullptr, 0), killed);
  int holder = 0;
  EXPECT_TRUE(Lock::take(directory, holder)) << holder;
}

}  // namespace
}  // namespace plumbline::engine
