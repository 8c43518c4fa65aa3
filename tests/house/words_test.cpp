// Rules of the code that no compiler and no linter checks: docs/architecture.md says why each is.

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "tests/house/tree.hpp"

namespace plumbline::house {
namespace {

/// The places in `files` whose code matches.
std::vector<std::string> places(const std::vector<File>& files, const std::regex& pattern) {
  std::vector<std::string> found;
  for (const auto& file : files) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (std::regex_search(std::string(code_of(file.lines[i])), pattern)) {
        found.push_back(file.path + ":" + std::to_string(i + 1) + ": " + file.lines[i]);
      }
    }
  }
  return found;
}

std::vector<File> pure_sources() {
  auto files = program_sources();
  const std::regex pure("^(include/plumbline|src)/(base|wire|kinds|spec|plan|report)/");
  std::erase_if(files, [&](const File& file) { return !std::regex_search(file.path, pure); });
  return files;
}

const std::regex awaiting("\\bco_(await|return|yield)\\b");
// Crude: a brace that only opens a block behind the awaiting is refused too.
const std::regex brace_in_co_await("co_await[^;]*[{\\[]");
const std::regex bad_noun(
    "\\b(class|struct|enum|union)\\s+\\w*(Manager|Helper|Util|Utils|Handler|Info|Data)\\b");
const std::regex other_throw("\\bthrow\\b(?!\\s*(wire::)?Malformed)");
const std::regex system_call(
    "(^|[^.>\\w])(socket|sendto|sendmsg|recvmsg|ioctl|fopen|getenv|system|popen|"
    "if_nametoindex|if_indextoname|getaddrinfo|gethostbyname|mnl_socket_\\w+|clock_gettime|time|"
    "getpid|rand)\\s*\\(|(^|[^\\w])::(open|read|write|close|bind|connect)\\(");

}  // namespace

TEST(Words, OnlyTheDaemonAwaits) {
  auto files = program_sources();
  std::erase_if(files, [](const File& file) { return file.path.starts_with("src/daemon/"); });
  const auto found = places(files, awaiting);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Words, NoBraceAndNoLambdaInsideACoAwait) {
  const auto found = places(program_sources(), brace_in_co_await);
  EXPECT_TRUE(found.empty()) << "GCC 12 destroys such a temporary twice" << joined(found);
}

TEST(Words, PureLayersThrowNothingButMalformed) {
  const auto found = places(pure_sources(), other_throw);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Words, PureLayersAskTheSystemNothing) {
  const auto found = places(pure_sources(), system_call);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Words, TypesAreNamedForWhatTheyAre) {
  auto files = program_sources();
  const auto found = places(files, bad_noun);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Words, EveryHeaderSaysWhatItIsForAndIsReadOnce) {
  std::vector<std::string> faults;
  for (const auto& file : program_sources()) {
    if (!file.path.ends_with(".hpp")) continue;
    if (file.lines.empty() || !file.lines.front().starts_with("// ")) faults.push_back(file.path);
    if (std::ranges::count(file.lines, std::string("#pragma once")) != 1) {
      faults.push_back(file.path + ": no #pragma once");
    }
  }
  EXPECT_TRUE(faults.empty()) << joined(faults);
}

TEST(Words, TheChecksSeeWhatTheyAreFor) {
  const auto seen = [](const char* line, const std::regex& pattern) {
    return !places({File{"src/daemon/a.cpp", {line}}}, pattern).empty();
  };
  EXPECT_TRUE(seen("  co_await f(Pair{1, 2});", brace_in_co_await));
  EXPECT_TRUE(seen("  co_await f([x] { return x; });", brace_in_co_await));
  EXPECT_FALSE(seen("  co_await f(pair);", brace_in_co_await));
  EXPECT_TRUE(seen("class LinkManager {", bad_noun));
  EXPECT_FALSE(seen("// class LinkManager", bad_noun));
  EXPECT_TRUE(seen("  throw std::runtime_error(x);", other_throw));
  EXPECT_FALSE(seen("  throw wire::Malformed(x);", other_throw));
  EXPECT_TRUE(seen("  const int fd = socket(AF_INET, SOCK_STREAM, 0);", system_call));
  EXPECT_TRUE(seen("  return ::open(path, 0);", system_call));
  EXPECT_FALSE(seen("  parser.open(node);", system_call));
  EXPECT_TRUE(seen("  co_return;", awaiting));
}

}  // namespace plumbline::house
