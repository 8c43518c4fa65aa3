// `plumbline run` whose log nobody reads, or whose supervisor is stuck: the watch goes on.

#include <fcntl.h>
#include <sys/stat.h>

#include "plumbline/io/descriptor.hpp"
#include "src/daemon/service_notify.hpp"
#include "tests/daemon/listener.hpp"
#include "tests/daemon/running.hpp"

namespace plumbline::daemon {
namespace {

const std::string ours = "10.9.0.0/24";

class RunLog : public RunTest {
 protected:
  /// Many, so that what a pass says of them is more than a pipe holds.
  static std::string many_routes() {
    std::vector<std::string> networks{ours};
    for (int i = 1; i < 200; ++i) networks.push_back("10.9." + std::to_string(i) + ".0/24");
    return routes(networks);
  }
  void expect_to_be_kept() {
    ASSERT_TRUE(soon(
        "the routes", [] { return has_route(ours); }, patiently));
    for (int i = 0; i < 3; ++i) {
      test::ip("route del blackhole " + ours);
      EXPECT_TRUE(soon("the repair", [] { return has_route(ours); }));
    }
  }
  void expect_to_end() {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(stop(SIGTERM), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - start, promptly);
  }
};

TEST_F(RunLog, AReaderWhoDoesNotReadHoldsUpNothing) {
  write(file(), many_routes());
  const std::string fifo = directory().parent_path() / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const io::Descriptor reader(open(fifo.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_GE(fcntl(reader.get(), F_SETPIPE_SZ, 4096), 0);
  start_through({"sh", "-c", "exec \"$@\" 2>" + fifo, "sh"});
  start("100ms");
  expect_to_be_kept();
  EXPECT_EQ(fcntl(reader.get(), F_GETFL) & O_NONBLOCK, 0);
  expect_to_end();
}

TEST_F(RunLog, AFullDiskBehindItHoldsUpNothing) {
  write(file(), many_routes());
  start_through({"sh", "-c", "exec \"$@\" 2>/dev/full", "sh"});
  start("100ms");
  expect_to_be_kept();
  expect_to_end();
}

TEST_F(RunLog, AStuckSupervisorHoldsUpNothingAndIsToldOnceItListens) {
  write(file(), routes({ours}));
  const std::string name = "@plumbline-stuck-" + std::to_string(::getpid());
  Listener listener(name);
  // Until its queue is full: sysctl net.unix.max_dgram_qlen.
  ServiceNotify crowd(name);
  int messages = -1;
  do {
    crowd.status("somebody else's");
    ++messages;
  } while (crowd.deliver());
  ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  start();
  ::unsetenv("NOTIFY_SOCKET");
  expect_to_be_kept();
  while (messages-- > 0) EXPECT_EQ(listener.heard(), "STATUS=somebody else's");
  std::string heard;
  EXPECT_TRUE(soon("what it has to say", [&] { return !(heard = listener.heard()).empty(); }));
  EXPECT_EQ(heard, "READY=1");
  expect_to_end();
}

}  // namespace
}  // namespace plumbline::daemon
