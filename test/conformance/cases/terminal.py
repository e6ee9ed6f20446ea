from harness.case import Registry

registry = Registry("terminal")
