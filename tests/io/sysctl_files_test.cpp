#include "src/io/sysctl_files.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/support/netns.hpp"

namespace plumbline::io {
namespace {

class SysctlFiles : public test::NetnsTest {};

TEST_F(SysctlFiles, ReadsBackWhatItWrote) {
  EXPECT_EQ(read_sysctl("net/ipv4/ip_forward").text, "0");
  EXPECT_EQ(write_sysctl("net/ipv4/ip_forward", "1").error, 0);
  EXPECT_EQ(read_sysctl("net/ipv4/ip_forward").text, "1");
}

TEST_F(SysctlFiles, ReadsValuesOfSeveralWordsWithoutTheLastNewline) {
  EXPECT_EQ(write_sysctl("net/ipv4/ping_group_range", "3\t77").error, 0);
  EXPECT_EQ(read_sysctl("net/ipv4/ping_group_range").text, "3\t77");
}

TEST_F(SysctlFiles, GivesTheKernelsError) {
  EXPECT_EQ(write_sysctl("net/ipv4/ip_forward", "yes").error, EINVAL);
  EXPECT_EQ(read_sysctl("net/ipv4/ip_forward").text, "0");
  EXPECT_EQ(read_sysctl("net/ipv4/conf/none/forwarding").error, ENOENT);
  EXPECT_EQ(write_sysctl("net/ipv4/conf/none/forwarding", "1").error, ENOENT);
  EXPECT_NE(read_sysctl("net/ipv4").error, 0);
}

TEST_F(SysctlFiles, DoesNotLeaveItsDirectory) {
  for (const std::string path : {"../version", "net/../../version", "/proc/version", "net//ipv4",
                                 "", ".", "net/ipv4/./ip_forward", "net/ipv4/ip_forward/"}) {
    EXPECT_EQ(read_sysctl(path).error, EINVAL) << path;
    EXPECT_EQ(write_sysctl(path, "1").error, EINVAL) << path;
  }
  EXPECT_EQ(read_sysctl(std::string("net/ipv4/ip_forward\0x", 21)).error, EINVAL);
}

}  // namespace
}  // namespace plumbline::io
