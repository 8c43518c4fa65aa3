#include "src/daemon/service_notify.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/daemon/listener.hpp"

namespace plumbline::daemon {
namespace {

void says_everything_to(const std::string& name) {
  Listener listener(name);
  ServiceNotify notify(name);
  notify.ready();
  notify.status("converged");
  EXPECT_TRUE(notify.deliver());
  notify.stopping();
  EXPECT_EQ(listener.heard(), "READY=1");
  EXPECT_EQ(listener.heard(), "STATUS=converged");
  EXPECT_EQ(listener.heard(), "STOPPING=1");
}

TEST(ServiceNotify, SpeaksToASocketInTheFileSystem) {
  const std::string path = testing::TempDir() + "notify-" + std::to_string(::getpid());
  std::filesystem::remove(path);
  says_everything_to(path);
  std::filesystem::remove(path);
}

TEST(ServiceNotify, SpeaksToAnAbstractSocket) {
  says_everything_to("@plumbline-test-" + std::to_string(::getpid()));
}

TEST(ServiceNotify, IsSilentWhenNobodyListens) {
  for (const std::string& name : {std::string(), std::string("relative"),
                                  "/" + std::string(200, 'x'), std::string("/gone")}) {
    ServiceNotify notify(name);
    notify.ready();
    EXPECT_TRUE(notify.deliver()) << "nothing is left to be said";
    notify.stopping();
  }
}

TEST(ServiceNotify, DoesNotWaitForASupervisorThatTakesNothing) {
  const std::string name = "@plumbline-full-" + std::to_string(::getpid());
  Listener listener(name);
  ServiceNotify notify(name);
  int said = 0;
  do {
    notify.status(std::to_string(++said));
  } while (notify.deliver() && said < 100'000);
  EXPECT_LT(said, 100'000) << "its queue is never full";
  notify.status("the last");
  EXPECT_FALSE(notify.deliver());
  std::string last;
  for (std::string heard = listener.heard(); !heard.empty(); heard = listener.heard()) last = heard;
  EXPECT_EQ(last, "STATUS=" + std::to_string(said - 1));
  EXPECT_TRUE(notify.deliver());
  EXPECT_EQ(listener.heard(), "STATUS=the last");
}

TEST(ServiceNotify, TakesTheVariableOutOfTheEnvironment) {
  ::setenv("NOTIFY_SOCKET", "/run/somewhere", 1);
  EXPECT_EQ(ServiceNotify::socket_from_environment(), "/run/somewhere");
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_EQ(ServiceNotify::socket_from_environment(), "");
}

}  // namespace
}  // namespace plumbline::daemon
