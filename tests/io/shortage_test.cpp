// A machine that is short of something at the moment says nothing about what is there.

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>

#include "plumbline/io/held_tables.hpp"
#include "plumbline/io/host.hpp"
#include "plumbline/io/iptables.hpp"
#include "plumbline/io/private_files.hpp"
#include "plumbline/io/program.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/refused_calls.hpp"

namespace plumbline::io {
namespace {

namespace fs = std::filesystem;
using test::without_call;
using ::testing::HasSubstr;

TEST(Shortage, IsNoneOfWhatIsMissingOrForbidden) {
  for (const int error : {EMFILE, ENFILE, ENOMEM, ENOBUFS, EINTR}) EXPECT_TRUE(is_shortage(error));
  for (const int error : {0, ENOENT, EACCES, EPERM, ENOSPC, EROFS}) {
    EXPECT_FALSE(is_shortage(error)) << error;
  }
  EXPECT_TRUE(tells_of_shortage("iptables: Cannot allocate memory; try again"));
  EXPECT_FALSE(tells_of_shortage("iptables: No such file or directory"));
}

TEST(Shortage, AProgramThatCannotBeLookedForIsNotMissing) {
  for (const auto& [call, error] : {std::pair{SYS_access, ENOMEM}, {SYS_access, EIO}}) {
    EXPECT_THAT(without_call(call, error, [] { static_cast<void>(find_program("sh")); }),
                HasSubstr("cannot look for /usr/sbin/sh"));
  }
  EXPECT_EQ(without_call(SYS_access, EACCES, [] { EXPECT_EQ(find_program("sh"), ""); }), "");
}

TEST(Shortage, TheOtherBackendIsNotTakenForTheHostsOwn) {
  if (find_program("iptables").empty()) GTEST_SKIP() << "iptables is not installed";
  // The call is made by iptables, and not by us.
  EXPECT_THAT(without_call(SYS_arch_prctl, test::killed,
                           [] { static_cast<void>(Iptables(Backend::automatic).backend()); }),
              HasSubstr("cannot tell which iptables this host uses (--iptables says it)"));
}

TEST(Shortage, WhatCannotBeReadIsNotSpoilt) {
  std::string name = fs::temp_directory_path() / "shortage-XXXXXX";
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const PrivateDirectory directory = PrivateDirectory::make(name);
  ASSERT_TRUE(directory.write("ledger.json", "{}"));
  const auto read = [&] { static_cast<void>(directory.read("ledger.json", 100)); };
  EXPECT_THAT(without_call(SYS_read, ENOMEM, read), HasSubstr("Cannot allocate memory"));
  EXPECT_THAT(without_call(SYS_openat, EMFILE, read), HasSubstr("Too many open files"));
  EXPECT_EQ(without_call(SYS_read, EIO, read), "") << "a fault of the file, in words";
  fs::remove_all(name);
}

class LegacyShortage : public test::NetnsTest {};

TEST_F(LegacyShortage, ATableThatChangesAllTheTimeIsNotMissing) {
  if (find_program("iptables-legacy").empty()) GTEST_SKIP() << "iptables (legacy) is not installed";
  test::must_run({"iptables-legacy", "-A", "INPUT", "-s", "192.0.2.1", "-j", "DROP"});
  const auto look = [] { static_cast<void>(legacy_tables(Family::inet)); };
  EXPECT_THAT(without_call(SYS_getsockopt, EAGAIN, look), HasSubstr("cannot look into"));
  EXPECT_EQ(without_call(SYS_getsockopt, ENOENT, look), "");
}

}  // namespace
}  // namespace plumbline::io
