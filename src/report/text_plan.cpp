#include "object_words.hpp"
#include "text.hpp"

namespace plumbline::report {

namespace {

std::string_view colour_of(Change change) {
  switch (change) {
    case Change::create:
      return "\033[32m";
    case Change::update:
      return "\033[33m";
    case Change::replace:
      return "\033[35m";
    case Change::remove:
      return "\033[31m";
  }
  return "";
}

/// Right-aligned, so that keys stand below each other.
std::string margin_of(Change change) {
  constexpr std::size_t width = 3;
  const std::string_view sign = sign_of(change);
  return std::string(width - sign.size(), ' ') + std::string(sign) + " ";
}

std::string line(const Object& object, bool colour) {
  std::string text = margin_of(object.change);
  if (colour) text = std::string(colour_of(object.change)) + text + "\033[0m";
  text += words_of(object) + '\n';
  for (const std::string& rule : rules_of(object)) text += "        " + rule + '\n';
  return text;
}

std::string lines(const std::vector<Diagnostic>& diagnostics, std::string_view what) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    text += std::string(what) + ": " + format(diagnostic) + '\n';
  }
  return text;
}

}  // namespace

std::string to_text(const Plan& plan, bool colour) {
  std::string text;
  for (const Object& object : objects(plan)) text += line(object, colour);
  for (const Blocked& blocked : plan.blocked) {
    text += "  ? " + printable(format(blocked.key)) + "  (blocked: waits for " + waits_of(blocked) +
            ")\n";
  }
  text += lines(plan.warnings, "warning");
  text += lines(plan.refusals, "refused");
  if (!text.empty()) text += '\n';
  return text + closing_of(plan) + '\n';
}

}  // namespace plumbline::report
