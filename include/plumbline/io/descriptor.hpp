// A file descriptor that is closed with its owner, and the way this layer gives up.

#pragma once

#include <string>
#include <utility>

namespace plumbline::io {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  [[nodiscard]] int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  void close() noexcept;

 private:
  int number_ = -1;
};

/// `Invalid argument`, for an errno value; safe in every thread.
[[nodiscard]] std::string errno_text(int error);

/// Throws HostError: `what: text of error`.
[[noreturn]] void give_up(const std::string& what, int error);

}  // namespace plumbline::io
