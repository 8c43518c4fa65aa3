#include "plumbline/io/namespace.hpp"

#include <dirent.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "plumbline/io/host.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::io {
namespace {

std::string why_not(const std::function<void()>& work) {
  try {
    work();
  } catch (const HostError& error) {
    return error.what();
  }
  return "nothing thrown";
}

std::size_t named_namespaces() {
  std::error_code error;
  const std::filesystem::directory_iterator entries("/run/netns", error);
  return error ? 0 : static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

class Namespaces : public test::NetnsTest {};

TEST_F(Namespaces, AScratchOneIsAnotherAndLeavesUsWhereWeAre) {
  const auto here = namespace_cookie();
  const auto names = named_namespaces();
  std::uint64_t there = 0;
  std::uint64_t there_too = 0;
  const auto scratch = NetworkNamespace::make_scratch();
  scratch.run([&] { there = namespace_cookie(); });
  NetworkNamespace::make_scratch().run([&] { there_too = namespace_cookie(); });
  EXPECT_EQ(namespace_cookie(), here);
  EXPECT_NE(there, here);
  EXPECT_NE(there, there_too);
  EXPECT_EQ(named_namespaces(), names);
}

TEST_F(Namespaces, AScratchOneHoldsOnlyALoopbackThatIsDown) {
  const auto scratch = NetworkNamespace::make_scratch();
  std::string links;
  scratch.run([&] { links = test::ip("-o link show"); });
  EXPECT_EQ(std::count(links.begin(), links.end(), '\n'), 1);
  EXPECT_NE(links.find("state DOWN"), std::string::npos) << links;
}

TEST_F(Namespaces, WhatIsThrownInsideComesOutAndWeAreStillHere) {
  const auto here = namespace_cookie();
  const auto scratch = NetworkNamespace::make_scratch();
  EXPECT_EQ(why_not([&] { scratch.run([] { throw HostError("from inside"); }); }), "from inside");
  EXPECT_EQ(namespace_cookie(), here);
}

TEST_F(Namespaces, EntersOneByItsPath) {
  const auto before = NetworkNamespace::current();
  const auto scratch = NetworkNamespace::make_scratch();
  std::uint64_t there = 0;
  scratch.run([&] { there = namespace_cookie(); });
  enter_namespace("/proc/self/fd/" + std::to_string(scratch.get()));
  EXPECT_EQ(namespace_cookie(), there);
  enter_namespace("/proc/self/fd/" + std::to_string(before.get()));
  EXPECT_NE(namespace_cookie(), there);
}

TEST_F(Namespaces, SaysWhatIsWrongWithAName) {
  EXPECT_EQ(why_not([] { enter_namespace("plumbline-none"); }),
            "there is no network namespace 'plumbline-none'");
  EXPECT_EQ(why_not([] { enter_namespace(""); }), "'' is no name of a network namespace");
  EXPECT_EQ(why_not([] { enter_namespace(".."); }), "'..' is no name of a network namespace");
  EXPECT_EQ(why_not([] { enter_namespace("/etc/passwd"); }),
            "'/etc/passwd' is no network namespace");
  EXPECT_EQ(why_not([] { enter_namespace("/proc/self/ns/uts"); }),
            "'/proc/self/ns/uts' is no network namespace");
}

TEST_F(Namespaces, AFifoInsteadOfANamespaceDoesNotBlock) {
  const std::string path = testing::TempDir() + "fifo-" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(why_not([&] { enter_namespace(path); }), "'" + path + "' is no network namespace");
  unlink(path.c_str());
}

}  // namespace
}  // namespace plumbline::io
