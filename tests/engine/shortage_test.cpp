// A machine that is short of something: no rule is to blame for it, and nobody works beside
// somebody else.

#include <gmock/gmock.h>
#include <stdlib.h>
#include <unistd.h>

#include "plumbline/engine/lock.hpp"
#include "tests/firewall/compiling.hpp"
#include "tests/support/refused_calls.hpp"

namespace plumbline::engine {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

using Shortage = Compiling;

INSTANTIATE_TEST_SUITE_P(Backends, Shortage, both_backends, backend_name);

TEST_P(Shortage, ARestoreThatIsKilledBlamesNoRule) {
  want("APP", {"-j DROP", "-j ACCEPT"});
  // These calls change the rules, and none of ours are among them.
  const long call = uses_nft() ? SYS_sendmsg : SYS_setsockopt;
  const std::string thrown =
      test::without_call(call, test::killed, [&] { static_cast<void>(compile()); });
  EXPECT_THAT(thrown, HasSubstr("iptables-restore: signal 31 ended it"));
  EXPECT_THAT(errors(), IsEmpty());
  compile();
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_P(Shortage, ARestoreThatFindsNoMemoryBlamesNoRule) {
  if (!uses_nft()) return;  // iptables-legacy does not say why
  want("APP", {"-j DROP", "-j ACCEPT"});
  compile();
  want("MORE", {"-j DROP"});
  const std::string thrown =
      test::without_call(SYS_sendmsg, ENOMEM, [&] { static_cast<void>(compile()); });
  EXPECT_THAT(thrown, HasSubstr("Cannot allocate memory"));
  EXPECT_THAT(errors(), IsEmpty());
}

TEST(LockShortage, NobodyTakesAnotherLockAsTheFileCannotBeOpened) {
  std::string directory = std::filesystem::temp_directory_path() / "shortage-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  int holder = 0;
  const auto lock = Lock::take(directory, holder);
  ASSERT_TRUE(lock);
  const std::string thrown = test::without_call(SYS_mkdirat, ENOMEM, [&] {
    int other = 0;
    EXPECT_FALSE(Lock::take(std::filesystem::path(directory) / "new/new", other));
  });
  EXPECT_THAT(thrown, HasSubstr("Cannot allocate memory"));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace plumbline::engine
