from setuptools import find_packages, setup

parts = ["agents", "cli", "envs", "generative", "networks", "perception"]
packages = [name for part in parts for name in [part, *(f"{part}.{sub}" for sub in find_packages(part))]]
setup(packages=[f"palestra.{name}" for name in packages], package_dir={"palestra": "."})
