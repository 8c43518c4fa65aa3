// Whoever gave the command: sees warnings and plans, and is asked.

#pragma once

#include <memory>

#include "options.hpp"
#include "plumbline/engine/change.hpp"

namespace plumbline::cli {

class Terminal final : public engine::Audience {
 public:
  Terminal(const Options& options, report::Operation operation);

  void warn(const std::vector<Diagnostic>& warnings) override;
  void show(const Plan& plan) override;
  [[nodiscard]] bool asks() const override { return asks_; }
  /// Asks on standard error, reads from the terminal. Anything but yes is no.
  [[nodiscard]] bool agrees() override;
  /// From now on nobody ends us: cli/undisturbed.hpp.
  void begins() override;

  /// Prints what came of it, and what it is for the exit status.
  int end(const engine::Ended& ended);

 private:
  std::unique_ptr<report::Renderer> report_;
  report::Operation operation_;
  bool asks_;
};

}  // namespace plumbline::cli
