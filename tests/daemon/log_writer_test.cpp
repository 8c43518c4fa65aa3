// Lines for a reader that reads late, wrongly or not at all.

#include "src/daemon/log_writer.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <optional>
#include <sstream>
#include <thread>

#include "plumbline/io/descriptor.hpp"

namespace plumbline::daemon {
namespace {

using ::testing::HasSubstr;

constexpr int small_pipe = 4096;

std::string dropped(std::size_t count) { return std::to_string(count) + " dropped\n"; }

class LogWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    reader_ = io::Descriptor(ends[0]);
    descriptor_ = io::Descriptor(ends[1]);
    ASSERT_GE(fcntl(descriptor_.get(), F_SETPIPE_SZ, small_pipe), 0);
    writer_.emplace(descriptor_.get(), std::size_t{10} * 1000, dropped);
  }

  void add_lines(int count) {
    for (int i = 0; i < count; ++i) writer_->add(std::string(99, 'x') + "\n");
  }
  /// Until `end` has come.
  std::string read_until(const std::string& end) const {
    std::string text;
    while (text.find(end) == text.npos) {
      std::array<char, 4096> buffer;
      const ssize_t size = ::read(reader_.get(), buffer.data(), buffer.size());
      if (size <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return text;
  }

  io::Descriptor reader_;
  io::Descriptor descriptor_;
  std::optional<LogWriter> writer_;
};

TEST_F(LogWriterTest, WritesLinesInTheirOrder) {
  writer_->add("one\n");
  writer_->add("two\n");
  EXPECT_EQ(read_until("two\n"), "one\ntwo\n");
}

TEST_F(LogWriterTest, NobodyWaitsForAReaderAndWhatWasDroppedIsToldOnceThereIsOne) {
  add_lines(1000);
  std::size_t written = 0;
  std::size_t told = 0;
  while (written + told < 1000) {
    std::istringstream lines(read_until("dropped\n"));
    for (std::string line; std::getline(lines, line);) {
      if (line.ends_with("dropped")) {
        told += std::stoul(line);
      } else {
        ++written;
      }
    }
  }
  EXPECT_EQ(written + told, 1000U);
  EXPECT_GE(written, 100U) << "as many as may be held";
  EXPECT_LE(written, 200U);
  writer_->add("and on\n");
  EXPECT_EQ(read_until("on\n"), "and on\n");
}

TEST_F(LogWriterTest, EndsInAMomentAlsoWithoutAReader) {
  add_lines(1000);
  const auto start = std::chrono::steady_clock::now();
  writer_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

TEST_F(LogWriterTest, WritesWhatIsLeftBeforeItEnds) {
  writer_->add("the last word\n");
  writer_.reset();
  descriptor_.close();
  EXPECT_EQ(read_until("never"), "the last word\n");
}

TEST_F(LogWriterTest, LeavesTheDescriptorAsItIsAndTakesItAsOthersMadeIt) {
  add_lines(1000);
  EXPECT_EQ(fcntl(descriptor_.get(), F_GETFL) & O_NONBLOCK, 0);
  read_until("dropped\n");
  ASSERT_EQ(fcntl(descriptor_.get(), F_SETFL, O_NONBLOCK), 0);
  add_lines(1000);
  EXPECT_THAT(read_until("dropped\n"), HasSubstr("dropped\n"));
}

TEST_F(LogWriterTest, SaysSoWhenAFullDiskTakesLinesAgain) {
  // What cannot be written at all is as good as a full disk: a pipe without a reader.
  signal(SIGPIPE, SIG_IGN);
  const std::string fifo = testing::TempDir() + "log-" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  reader_ = io::Descriptor(open(fifo.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  const io::Descriptor writing(open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
  LogWriter writer(writing.get(), 1000, dropped);
  reader_.close();
  for (int i = 0; i < 3; ++i) writer.add("lost\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  reader_ = io::Descriptor(open(fifo.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  ASSERT_EQ(fcntl(reader_.get(), F_SETFL, 0), 0);
  writer.add("found\n");
  EXPECT_EQ(read_until("found\n"), "3 dropped\nfound\n");
  unlink(fifo.c_str());
}

TEST(LogWriter, IsNotHeldUpByAStuckSocket) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const io::Descriptor here(ends[0]);
  const io::Descriptor there(ends[1]);
  const auto start = std::chrono::steady_clock::now();
  {
    LogWriter writer(here.get(), 1000, dropped);
    for (int i = 0; i < 100'000; ++i) writer.add("a line of the journal\n");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace plumbline::daemon
